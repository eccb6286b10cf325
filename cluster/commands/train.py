"""`quorum train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import EVERY_TENANT_HINT, ForEveryTenant
from cluster.terminal.bars import StageBars
from cluster.terminal.terminal import CommandFailed, JsonFlag, emit

if TYPE_CHECKING:
    from rich.console import RenderableType

    from training.config import TrainConfig

_STAGES = {
    "history": "Read history",
    "features": "Replay features",
    "guard": "Look for leaks",
    "search": "Search parameters",
    "fit": "Fit models",
    "judge": "Calibrate and judge",
    "report": "Evaluate and draw",
    "publish": "Register",
}
_COLUMNS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "card_precision_at_100": "card p@100",
    "recall_at_review_0.01": "recall 1 %",
    "value_caught_at_review_0.01": "value 1 %",
    "calibration_error": "calib. error",
}


def train(
    file: Annotated[
        Path | None, typer.Argument(help="With --tabular: CSV or Parquet file of the set.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of what differs from the defaults.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; the same seed and data, the same models.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose history; QUORUM_TENANT if not given.")
    ] = None,
    tabular: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT",
            help="Train on FILE's own columns: a layout with a section \\[tabular], or your own"
            " TOML file. The models are named <layout>-<variant>; no plan changes.",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Run a published protocol: handbook, ulb or sparkov. Registers nothing."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="With --protocol: folder of the data sets. [../shared/data]"),
    ] = None,
    allow_leaks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Train although the leak guard refuses it with CODE; recorded with the run.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Let models that beat neither chance nor a baseline serve, for a --reason.",
        ),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the models.")] = None,
    search_trials: Annotated[
        int | None,
        typer.Option(min=1, help="Search parameters of each variant first: so many trials."),
    ] = None,
    search_minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Search them for so long, all at once.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.parquet", help="Write what the models say of each row of the test part."
        ),
    ] = None,
    for_every_tenant: ForEveryTenant = False,
    as_json: JsonFlag = False,
) -> None:
    """Train the variants on history, register them as champions and activate their plan.

    History is cut by time: what is judged happened after everything that was learnt from, with a
    gap as long as labels take. Runs on the Ray that RAY_ADDRESS names, else on one of its own.
    """
    _check_usage(file, tabular, protocol, data, predictions)
    forced = _reason(force, reason)
    from fraud.errors import InvalidInput, NotTrainable, OtherTenant
    from training.config import TrainConfig, read_config
    from training.evaluate.skill import NoSkill
    from training.finding import LeakFound

    try:
        told = TrainConfig() if config is None else read_config(config)
        if seed is not None:
            told = told.model_copy(update={"seed": seed})
        budget = {"trials": search_trials, "minutes": search_minutes}
        given = {name: value for name, value in budget.items() if value is not None}
        search = told.search.model_copy(update=given)
        told = told.model_copy(update={"search": search})
        told = _allowing(told, allow_leaks or [])
        if protocol is not None:
            from cluster.terminal.protocol_tables import render as render_protocol

            emit(_protocol(protocol, data, told), as_json, render_protocol)
        elif tabular is not None and file is not None:
            emit(
                _tabular(tabular, file, told, for_every_tenant, predictions, forced),
                as_json,
                render,
            )
        else:
            emit(_history(tenant, told, for_every_tenant, predictions, forced), as_json, render)
    except OtherTenant as error:
        raise CommandFailed(str(error), EVERY_TENANT_HINT) from None
    except InvalidInput as error:
        raise CommandFailed(error.detail, "docs/training.md", exit_code=2) from None
    except (LeakFound, NoSkill) as error:
        raise CommandFailed(str(error), "") from None
    except NotTrainable as error:
        hint = "`quorum load` and `quorum generate` bring history; --config changes the split"
        known = tabular is not None or protocol is not None
        raise CommandFailed(str(error), "" if known else hint) from None


def _reason(force: bool, reason: str | None) -> str | None:
    if reason is not None and not force:
        raise CommandFailed("--reason goes with --force", "see --help", 2)
    if force and not (reason or "").strip():
        raise CommandFailed(
            "--force needs a --reason, which is kept with the models", "see --help", 2
        )
    return reason


def _allowing(config: TrainConfig, codes: list[str]) -> TrainConfig:
    """The configuration with more of the leak guard's codes let through."""
    from training.finding import CODES

    unknown = sorted(set(codes) - set(CODES))
    if unknown:
        raise CommandFailed(
            f"--allow-leaks: no code {unknown[0]}", f"one of {', '.join(CODES)}", exit_code=2
        )
    return config.model_copy(update={"allow_leaks": (*config.allow_leaks, *codes)})


def _check_usage(
    file: Path | None,
    tabular: str | None,
    protocol: str | None,
    data: Path | None,
    predictions: Path | None,
) -> None:
    def wrong(what: str, hint: str) -> CommandFailed:
        return CommandFailed(what, hint, exit_code=2)

    if tabular is not None and protocol is not None:
        raise wrong("--tabular and --protocol do not go together", "give one of them")
    if tabular is not None and file is None:
        raise wrong("--tabular needs the FILE of the set", "quorum train --tabular ulb FILE")
    if tabular is None and file is not None:
        hint = "`quorum load` brings payments, then `quorum train`; or name --tabular LAYOUT"
        raise wrong("a FILE is trained on with --tabular only", hint)
    if data is not None and protocol is None:
        raise wrong("--data goes with --protocol", "quorum train --protocol handbook --data FOLDER")
    if predictions is not None and protocol is not None:
        raise wrong("--predictions and --protocol do not go together", "give one of them")


def _history(
    tenant: str | None,
    config: TrainConfig,
    for_every_tenant: bool,
    predictions: Path | None,
    force: str | None,
) -> dict[str, Any]:
    from cluster.home.connection import database_url
    from settings.settings import Settings
    from training.pipeline import train as run

    settings = Settings.load()
    database_url(settings)  # says what to do if nothing names a database
    settings = settings.model_copy(update={"tenant": tenant or settings.tenant})
    with StageBars(_STAGES) as bars:
        report = run(
            settings,
            config,
            bars.show,
            ray_address=os.environ.get("RAY_ADDRESS"),
            for_every_tenant=for_every_tenant,
            predictions=predictions,
            force=force,
        )
    return _with_predictions(report.to_document(), predictions)


def _with_predictions(document: dict[str, Any], path: Path | None) -> dict[str, Any]:
    return document if path is None else {**document, "predictions": str(path)}


def _tabular(
    layout: str,
    file: Path,
    config: TrainConfig,
    for_every_tenant: bool,
    predictions: Path | None,
    force: str | None,
) -> dict[str, Any]:
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, load_layout
    from settings.settings import Settings
    from training.pipeline import train_tabular

    address = os.environ.get("RAY_ADDRESS")
    try:
        with StageBars(_STAGES) as bars:
            report = train_tabular(
                Settings.load(),
                load_layout(layout),
                file,
                config,
                bars.show,
                ray_address=address,
                for_every_tenant=for_every_tenant,
                predictions=predictions,
                force=force,
            )
    except (LayoutInvalid, SourceUnreadable) as error:
        raise CommandFailed(str(error), "docs/layouts.md shows [tabular]") from None
    return _with_predictions(report.to_document(), predictions)


def _protocol(name: str, data: Path | None, config: TrainConfig) -> dict[str, Any]:
    from cluster.home.project import data_folder
    from data.files.source import SourceUnreadable
    from settings.settings import Settings
    from training.protocols.catalogue import PROTOCOLS
    from training.protocols.protocol import run_protocol

    if name not in PROTOCOLS:
        raise CommandFailed(f"no protocol {name}", f"one of {', '.join(PROTOCOLS)}", exit_code=2)
    cache = Settings.load().home / "cache"
    try:
        with StageBars(_STAGES) as bars:
            return run_protocol(PROTOCOLS[name], data or data_folder(), cache, config, bars.show)
    except SourceUnreadable as error:
        raise CommandFailed(str(error), "--data names the folder of the data sets") from None


def render(document: dict[str, Any]) -> RenderableType:
    """A report's figures on the test part, a line a model, and where its page is."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    window, plan = document["window"], document["plan"]
    table = Table(
        title=f"On the test part: {window['test_start'][:10]} to {window['test_end'][:10]}",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("model", no_wrap=True)
    for name, title in _COLUMNS.items():
        table.add_column(title, justify="right", no_wrap=name == "average_precision")
    baselines = {document["baseline"], "one-rule"}
    for model in (name for name in document["models"] if name != "ensemble"):
        said = f"{model} °" if model in baselines else model
        table.add_row(said, *_cells(document, model))
    table.add_section()
    table.add_row("ensemble", *_cells(document, "ensemble"), style="bold")
    return Group(table, *(escape(line) for line in _notes(document, plan)))


def _notes(document: dict[str, Any], plan: dict[str, Any]) -> list[str]:
    rows, frauds = document["rows"], document["frauds"]
    rule = f"; one-rule: {document['one_rule']}" if document["one_rule"] else ""
    parts = (("train", "trained on"), ("validation", "chosen by"), ("calibration", "calibrated on"),
             ("test", "judged on"))  # fmt: skip
    return [
        f"average precision with its 95 % interval; °: baseline{rule}",
        ", ".join(f"{verb} {rows[part]:,} ({frauds[part]:,} frauds)" for part, verb in parts),
        f"plan {plan['name']} v{plan['version']}: {_weights(plan)};"
        f" {sum(document['seconds'].values()):.0f} s",
        *document.get("short", []),
        *_beside(document),
        *_said(document),
        *(f"leak guard: {f['code']}: {f['sentence']}" for f in document.get("findings", [])),
        f"report: {document['report']}",
        *([f"predictions: {document['predictions']}"] if document.get("predictions") else []),
    ]


def _cells(document: dict[str, Any], model: str) -> list[str]:
    metrics, cells = document["models"][model], []
    for name in _COLUMNS:
        cell = f"{metrics[name]:.4f}" if name in metrics else "-"
        if name == "average_precision" and name in document["intervals"][model]:
            low, high = document["intervals"][model][name]
            cell = f"{metrics[name]:.3f} ({low:.3f}–{high:.3f})"
        cells.append(cell)
    return cells


def _beside(document: dict[str, Any]) -> list[str]:
    """The ensemble beside its best member, on validation and on the test part."""
    contest = document.get("choices", {}).get("combiner", {}).get("contest")
    test = document.get("beside")
    if contest is None or test is None:
        return []
    return [
        f"{contest['said']}; on the test part {test['together']:.4f} together,"
        f" {test['alone']:.4f} alone"
    ]


def _said(document: dict[str, Any]) -> list[str]:
    """What the ensemble's probabilities said over what was seen, with the 95 % interval."""
    found = document.get("said_seen", {}).get("ensemble")
    if found is None:
        return []
    overall = found["overall"]
    ratio, low, high = (
        "-" if overall[end] is None else f"{overall[end]:.2f}" for end in ("ratio", "low", "high")
    )
    return [
        f"probabilities: said {overall['said']:.3%}, seen {overall['seen']:.3%}:"
        f" {ratio} ({low}–{high})"
    ]


def _weights(plan: dict[str, Any]) -> str:
    said = " + ".join(f"{m['weight']:.2f}" for m in plan["members"])
    return f"{plan['combiner']} {said}"
