"""`quorum models`: list, show, compare, promote, rollback, push."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import EVERY_TENANT_HINT, ForEveryTenant
from cluster.terminal.failures import plainly
from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, say, step
from stores.redaction import redacted

if TYPE_CHECKING:
    from models.store.store import ArtifactStore
    from settings.settings import Settings
    from training.promotion.assessment import Assessor
    from training.registry.mlflow_registry import Registry

app = typer.Typer(
    help="See, compare and promote models, go back, and copy them elsewhere.", no_args_is_help=True
)

ModelArgument = Annotated[
    str, typer.Argument(metavar="VARIANT[@ALIAS|@VERSION]", help="Without @: its champion.")
]
GatesOption = Annotated[
    Path | None, typer.Option("--gates", help="TOML file of limits that differ from the defaults.")
]
WeeksOption = Annotated[
    float | None, typer.Option(min=0.1, help="Newest labelled weeks to judge on. [4]")
]
TenantOption = Annotated[
    str | None, typer.Option(help="Whose payments to judge on; QUORUM_TENANT if not given.")
]


@app.command("list")
def list_models(
    variant: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the versions of each variant: aliases, figures, schema, when they were trained."""
    from cluster.terminal.model_tables import versions_table

    with _expected():
        settings = _settings(None)
        store = _store(settings)
        registry, why = _registry_if_up(settings)
        from training.registry.catalogue import Catalogue

        entries = Catalogue(store, registry).entries(variant)
    document = {
        "store": store.url,
        "mlflow_error": why,
        "models": [entry.document() for entry in entries],
    }
    emit(document, as_json, versions_table)


@app.command()
def show(model: ModelArgument, as_json: JsonFlag = False) -> None:
    """Show one version: what it is, what it was trained on, its figures, the champions before."""
    from cluster.terminal.model_tables import model_table

    with _expected():
        settings = _settings(None)
        store = _store(settings)
        registry, why = _registry_if_up(settings)
        from training.registry.catalogue import Catalogue

        catalogue = Catalogue(store, registry)
        name, version = _named(catalogue, model)
        manifest, _ = store.manifest(name, version)
        document = {
            **catalogue.entry(name, version).document(),
            "mlflow_error": why,
            "runtime": manifest.runtime,
            "n_features": manifest.n_features,
            "files": manifest.files,
            "training": manifest.training,
            "champions": catalogue.history(name),
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
    """Compare two models on the newest labelled weeks, which neither has learnt from.

    Both are scored through their exported files; the difference of average precision comes with
    its paired-bootstrap 95 % interval.
    """
    from cluster.terminal.model_tables import comparison_table

    with _expected():
        settings = _settings(tenant)
        store = _store(settings)
        registry, _ = _registry_if_up(settings)
        from training.promotion.comparison import compare as held_against
        from training.registry.catalogue import Catalogue

        catalogue = Catalogue(store, registry)
        left, right = _named(catalogue, a), _named(catalogue, b)
        with step("Compare") as going_on:
            assessor = _assessor(settings, store, gates, weeks, None, going_on.note)
            document = held_against(
                assessor.load_version(*left), assessor.load_version(*right), assessor
            )
    emit(document, as_json, comparison_table)


@app.command()
def promote(
    variant: Annotated[
        str | None, typer.Argument(help="Whose model, also VARIANT@VERSION; not with --run.")
    ] = None,
    version: Annotated[
        str, typer.Argument(help="An alias, a version, or MLflow's number.")
    ] = "challenger",
    run: Annotated[
        str | None,
        typer.Option(help="All models of a training run, and its plan: `latest`, or its id."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overrule statistical gates, for a --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Kept with the promotion.")] = None,
    gates: GatesOption = None,
    weeks: WeeksOption = None,
    margin: Annotated[
        float | None, typer.Option(min=0.0, help="Average precision that may be lost. [0.02]")
    ] = None,
    tenant: TenantOption = None,
    for_every_tenant: ForEveryTenant = False,
    as_json: JsonFlag = False,
) -> None:
    """Let a model, or a whole training run with its plan, serve as champion if it passes the gates.

    Gates: the served schema, golden rows, latency and size; no worse than the champion on the
    newest labelled weeks by a paired bootstrap, and well calibrated there. The last two are
    statistical: --force with a --reason overrules them. Exit code 1 if a gate is not passed.
    """
    if (variant is None) == (run is None):
        raise CommandFailed("name a VARIANT, or a --run", "see --help", 2)
    if reason is not None and not force:
        raise CommandFailed("--reason goes with --force", "see --help", 2)
    from cluster.terminal.model_tables import promotion_table

    with _expected():
        settings = _settings(tenant)
        store = _store(settings)
        from training.promotion.promotion import Force, Promoter
        from training.registry.catalogue import Catalogue

        forced = Force(reason or "") if force else None
        with step("Gates") as going_on:
            registry = _registry(settings)
            promoter = Promoter.of(settings, store, registry, for_every_tenant=for_every_tenant)
            assessor = _assessor(settings, store, gates, weeks, margin, going_on.note)
            if run is not None:
                outcome = promoter.promote_run(assessor, run, forced)
            else:
                name, _, named = str(variant).partition("@")
                meant = Catalogue(store, registry).version(name, named or version)
                outcome = promoter.promote(assessor, name, meant, forced)
            gated = outcome.assessment
            going_on.result = f"{len(gated.failed)} not passed" if gated else "nothing to pass"
    emit(outcome.document(), as_json, promotion_table)
    if outcome.refused:
        raise typer.Exit(1)


@app.command()
def rollback(
    variant: Annotated[str | None, typer.Argument(help="Whose champion; not with --run.")] = None,
    to: Annotated[
        str | None, typer.Option(help="A version that was champion once; the one before if none.")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Undo the last run: all its models, and its plan.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let the champion before the last promotion serve again; doing it twice changes nothing more.

    For one variant the plan stays; --run brings back the plan before as well.
    """
    if (variant is None) == (not run) or (run and to is not None):
        raise CommandFailed("name a VARIANT, with or without --to, or --run", "see --help", 2)
    from cluster.terminal.model_tables import promotion_table

    with _expected():
        settings = _settings(None)
        store = _store(settings)
        from training.promotion.promotion import Promoter

        with step("Roll back"):
            promoter = Promoter.of(settings, store, _registry(settings))
            if run:
                outcome = promoter.roll_back_run(_load)
            else:
                outcome = promoter.roll_back(str(variant), _load, to)
    emit(outcome.document(), as_json, promotion_table)


@app.command()
def push(
    destination: Annotated[
        str, typer.Argument(help="A folder, file:///folder or s3://bucket/prefix.")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="All versions, not only champions and challengers.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say how much to send.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read what is there and compare digests.")
    ] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Send again what is there and damaged.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Copy models and their aliases to another place. Only what is not there is sent.

    Cut off, the next push goes on from what has arrived. Exit code 1 if --verify finds a fault.
    """
    if sum((estimate, dry_run, verify)) > 1 or (rewrite and (estimate or dry_run or verify)):
        raise CommandFailed(
            "--estimate, --dry-run, --verify and --rewrite exclude each other", "give one", 2
        )
    from cluster.terminal import model_tables as tables

    with _expected():
        settings = _settings(None)
        source = _store(settings)
        from models.store.location import open_store
        from training.registry.push import Push

        there = open_store(destination, settings)
        if there.url == source.url:
            raise CommandFailed(f"{there.url} is where the models lie", "name another place", 2)
        order = Push(source, there, everything)
        if verify:
            with step("Verify"):
                whole, faults = order.verify()
            document = {"destination": there.url, "whole": whole, "faults": faults}
            emit(document, as_json, tables.faults_said)
            if faults:
                raise typer.Exit(1)
        elif estimate or dry_run:
            document = order.plan().document()
            render = tables.estimate_said if estimate else tables.push_table
            emit(document, as_json, render)
        else:
            with step("Push") as going_on:
                document = order.send(rewrite, going_on.note).document()
            emit(document, as_json, tables.sent_said)


def _settings(tenant: str | None) -> Settings:
    from settings.settings import Settings

    settings = Settings.load()
    return settings.model_copy(update={"tenant": tenant or settings.tenant})


def _store(settings: Settings) -> ArtifactStore:
    from models.store.location import store_of

    return store_of(settings)


def _registry(settings: Settings) -> Registry:
    from training.registry.mlflow_registry import Registry

    return Registry(settings.tracking_uri, settings.home / "mlruns")


def _registry_if_up(settings: Settings) -> tuple[Registry | None, str | None]:
    """MLflow's side, or why there is none: the store is enough to see what serves."""
    from mlflow.exceptions import MlflowException

    try:
        registry = _registry(settings)
        registry.aliases()
        return registry, None
    except (MlflowException, OSError) as error:
        why = redacted(f"MLflow does not answer: {str(error).splitlines()[0]}")[:240]
        say(why)
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
    told = {"weeks": weeks, "margin": margin}
    config = config.model_copy(update={k: v for k, v in told.items() if v is not None})
    return Assessor(
        settings, store, _load, config, lambda done, of: note(f"features {done:,} of {of:,}")
    )


def _named(catalogue: Any, model: str) -> tuple[str, str]:
    """Variant and version of `variant`, `variant@alias` or `variant@version`."""
    variant, _, name = model.partition("@")
    return variant, catalogue.version(variant, name or "champion")


@contextmanager
def _expected() -> Iterator[None]:
    """Turn what can be expected to go wrong with models into one line."""
    from fraud.errors import OtherTenant, QuorumError

    try:
        yield
    except OtherTenant as error:
        raise CommandFailed(str(error.args[0]), EVERY_TENANT_HINT) from error
    except QuorumError as error:
        raise plainly(error) from error
