"""`quorum models`: list, show, compare, promote, rollback, push."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import (
    EVERY_TENANT_HINT,
    ForEveryTenant,
    GatesOption,
    TenantOption,
    load_settings,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, print_line, step
from cluster.terminal.failures import without_hint
from stores.redaction import redacted

if TYPE_CHECKING:
    from models.store.store import ArtifactStore
    from settings.settings import Settings
    from training.promotion.assessment import Assessor
    from training.registry.catalogue import Catalogue
    from training.registry.mlflow_registry import Registry

app = typer.Typer(
    help="List, compare, promote and roll back models, and copy them to another store.",
    no_args_is_help=True,
)

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="[TENANT/]VARIANT[@ALIAS|@VERSION]", help="A model; without @: the champion."
    ),
]
WeeksOption = Annotated[
    float | None,
    typer.Option(min=0.1, help="Newest labelled weeks to test on.", show_default="4"),
]


@app.command("list")
def list_models(
    variant: Annotated[str | None, typer.Argument(help="Only this variant.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Only what this tenant trained, or owns.", show_default="all")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the versions of each variant with their aliases, figures and dates of training.

    The alias `champion` is the house's, `mine/champion` that of tenant `mine`.
    """
    from cluster.terminal.tables.models import versions_table

    with _model_errors():
        settings = load_settings(tenant)
        store = _store(settings)
        registry, why = _registry_if_up(settings)
        from training.registry.catalogue import Catalogue

        entries = Catalogue(store, registry).entries(variant, tenant)
    document = {
        "store": store.url,
        "mlflow_error": why,
        "models": [entry.document() for entry in entries],
    }
    emit(document, as_json, versions_table)


@app.command()
def show(model: ModelArgument, tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """Show one version: its training, figures, and the owner's champions of the variant so far."""
    from cluster.terminal.tables.models import model_table

    with _model_errors():
        settings = load_settings(tenant)
        store = _store(settings)
        registry, why = _registry_if_up(settings)
        from training.registry.catalogue import Catalogue

        catalogue = Catalogue(store, registry)
        name, version, owner = _named(catalogue, settings, model)
        manifest, _ = store.manifest(name, version)
        document = {
            **catalogue.entry(name, version).document(),
            "mlflow_error": why,
            "runtime": manifest.runtime,
            "n_features": manifest.n_features,
            "files": manifest.files,
            "training": manifest.training,
            "champions": catalogue.history(name, owner),
        }
    emit(document, as_json, model_table)


@app.command()
def compare(
    a: ModelArgument,
    b: ModelArgument,
    gates: GatesOption = None,
    weeks: WeeksOption = None,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare two models on the newest labelled weeks, which neither was trained on.

    Both are scored through their exported files. The difference of average precision comes with
    its 95 % interval by paired bootstrap.
    """
    from cluster.terminal.tables.models import comparison_table

    with _model_errors():
        settings = load_settings(tenant)
        store = _store(settings)
        registry, _ = _registry_if_up(settings)
        from training.promotion.comparison import compare as compare_versions
        from training.registry.catalogue import Catalogue

        catalogue = Catalogue(store, registry)
        left, right = (_named(catalogue, settings, model)[:2] for model in (a, b))
        with step("Compare") as running:
            assessor = _assessor(settings, store, gates, weeks, None, running.note)
            document = compare_versions(
                assessor.load_version(*left), assessor.load_version(*right), assessor
            )
    emit(document, as_json, comparison_table)


@app.command()
def promote(
    variant: Annotated[
        str | None, typer.Argument(help="Variant, or VARIANT@VERSION; not with --run.")
    ] = None,
    version: Annotated[
        str, typer.Argument(help="Alias, version, or MLflow's version number.")
    ] = "challenger",
    run: Annotated[
        str | None,
        typer.Option(help="All models of a training run, and its plan: `latest` or an id."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overrule the statistical gates; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Reason for --force, kept with the promotion.")
    ] = None,
    gates: GatesOption = None,
    weeks: WeeksOption = None,
    margin: Annotated[
        float | None,
        typer.Option(min=0.0, help="Average precision that may be lost.", show_default="0.02"),
    ] = None,
    tenant: TenantOption = None,
    for_every_tenant: ForEveryTenant = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a model the champion of its variant, or promote a whole training run with its plan.

    The home tenant's models become the house's champions, another tenant's become its own.

    A model must pass the gates: the served schema, golden rows, latency and size; no worse than the
    champion on the newest labelled weeks (paired bootstrap), and well calibrated there. The last
    two are statistical: --force with a --reason overrules them. Exit code 1 if a gate fails.
    """
    if (variant is None) == (run is None):
        raise CommandFailed("give either a VARIANT or --run", "see --help", 2)
    if reason is not None and not force:
        raise CommandFailed("--reason goes with --force", "see --help", 2)
    from cluster.terminal.tables.models import promotion_table

    with _model_errors():
        settings = load_settings(tenant)
        store = _store(settings)
        from training.promotion.promotion import Promoter
        from training.promotion.result import Force
        from training.registry.catalogue import Catalogue

        forced = Force(reason or "") if force else None
        with step("Gates") as running:
            registry = _registry(settings)
            promoter = Promoter.of(settings, store, registry, for_every_tenant=for_every_tenant)
            assessor = _assessor(settings, store, gates, weeks, margin, running.note)
            if run is not None:
                promotion = promoter.promote_run(assessor, run, forced)
            else:
                name, _, given = str(variant).partition("@")
                catalogue = Catalogue(store, registry)
                chosen = catalogue.version(name, given or version, settings.owner)
                promotion = promoter.promote(assessor, name, chosen, forced)
            gated = promotion.assessment
            running.result = f"{len(gated.failed)} failed" if gated else "nothing to check"
    emit(promotion.document(), as_json, promotion_table)
    if promotion.refused:
        raise typer.Exit(1)


@app.command()
def rollback(
    variant: Annotated[str | None, typer.Argument(help="Variant; not with --run.")] = None,
    to: Annotated[
        str | None,
        typer.Option(help="An earlier champion's version.", show_default="the champion before"),
    ] = None,
    run: Annotated[
        bool,
        typer.Option(
            "--run", help="Roll back the last promoted run: all its models, and its plan."
        ),
    ] = False,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make the champion before the last promotion the champion again: the house's, or with --tenant
    the tenant's own.

    Repeating it changes nothing more. The plan stays; --run also restores the plan before.
    """
    if (variant is None) == (not run) or (run and to is not None):
        raise CommandFailed(
            "give either a VARIANT, with or without --to, or --run", "see --help", 2
        )
    from cluster.terminal.tables.models import promotion_table

    with _model_errors():
        settings = load_settings(tenant)
        store = _store(settings)
        from training.promotion.promotion import Promoter

        with step("Roll back"):
            promoter = Promoter.of(settings, store, _registry(settings))
            if run:
                promotion = promoter.roll_back_run(_load)
            else:
                promotion = promoter.roll_back(str(variant), _load, to)
    emit(promotion.document(), as_json, promotion_table)


@app.command()
def push(
    destination: Annotated[
        str, typer.Argument(help="A folder, file:///folder, or s3://bucket/prefix.")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Copy all versions, not only champions and challengers.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only print how much would be sent.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be sent.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the copies and compare their digests.")
    ] = False,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Send damaged copies again.")] = False,
    rollback_push: Annotated[
        bool,
        typer.Option("--rollback", help="Move the aliases there back to before the last push."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Copy models, their references and aliases to another store. Only missing files are sent.

    After an interrupted push, the next one continues. Exit code 1 if --verify finds a fault.
    """
    if sum((estimate, dry_run, verify, rewrite, rollback_push)) > 1:
        raise CommandFailed(
            "--estimate, --dry-run, --verify, --rewrite and --rollback cannot be combined",
            "give one of them",
            2,
        )
    from cluster.terminal.tables import models as tables

    with _model_errors():
        settings = load_settings()
        source = _store(settings)
        from models.store.location import open_store
        from training.registry.push import Push

        there = open_store(destination, settings)
        if there.url == source.url:
            raise CommandFailed(f"{there.url} is the store of the models", "choose another one", 2)
        push_to = Push(source, there, everything)
        if verify:
            with step("Verify"):
                whole, faults = push_to.verify()
            document = {"destination": there.url, "whole": whole, "faults": faults}
            emit(document, as_json, tables.faults_text)
            if faults:
                raise typer.Exit(1)
        elif rollback_push:
            with step("Roll back"):
                aliases = push_to.roll_back()
            document = {"destination": there.url, "aliases": aliases}
            emit(document, as_json, tables.rolled_back_text)
        elif estimate or dry_run:
            document = push_to.preview().document()
            render = tables.estimate_text if estimate else tables.push_table
            emit(document, as_json, render)
        else:
            with step("Push") as running:
                document = push_to.send(rewrite, running.note).document()
            emit(document, as_json, tables.sent_text)


def _store(settings: Settings) -> ArtifactStore:
    from models.store.location import store_of

    return store_of(settings)


def _registry(settings: Settings) -> Registry:
    from training.registry.mlflow_registry import Registry

    return Registry(settings.tracking_uri, settings.home / "mlruns")


def _registry_if_up(settings: Settings) -> tuple[Registry | None, str | None]:
    """Return MLflow's registry, or why it does not answer: the store alone shows what serves."""
    from mlflow.exceptions import MlflowException

    try:
        registry = _registry(settings)
        registry.aliases()
        return registry, None
    except (MlflowException, OSError) as error:
        why = redacted(f"MLflow does not answer: {str(error).splitlines()[0]}")[:240]
        print_line(why)
        return None, why


def _load(folder: Path, digest: str) -> Any:
    from models.scoring.scorer import Scorer

    return Scorer.load(folder, digest)


def _assessor(
    settings: Settings,
    store: ArtifactStore,
    gates: Path | None,
    weeks: float | None,
    margin: float | None,
    note: Any,
) -> Assessor:
    from training.promotion.assessment import Assessor
    from training.promotion.gates import GateConfig, read_gates

    config = GateConfig() if gates is None else read_gates(gates)
    given = {"weeks": weeks, "margin": margin}
    config = config.model_copy(update={k: v for k, v in given.items() if v is not None})
    return Assessor(
        settings, store, _load, config, lambda done, of: note(f"features {done:,} of {of:,}")
    )


def _named(catalogue: Catalogue, settings: Settings, model: str) -> tuple[str, str, str]:
    """Return variant, version and owner of `[tenant/]variant[@alias|@version]`. Without a tenant,
    the owner is that of the settings."""
    named, _, name = model.partition("@")
    tenant, _, variant = named.rpartition("/")
    owner = settings.owner_of(tenant or settings.tenant)
    return variant, catalogue.version(variant, name or "champion", owner), owner


@contextmanager
def _model_errors() -> Iterator[None]:
    """Turn the expected errors of models into one line."""
    from fraud.errors import OtherTenant, QuorumError

    try:
        yield
    except OtherTenant as error:
        raise CommandFailed(str(error.args[0]), EVERY_TENANT_HINT) from error
    except QuorumError as error:
        raise without_hint(error) from error
