"""`quorum train`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import (
    EVERY_TENANT_HINT,
    ForEveryTenant,
    TenantOption,
    TrainConfigOption,
    load_settings,
)
from cluster.errors import CommandFailed
from cluster.terminal.bars import StageBars
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.protocol_table import protocol_table
from cluster.terminal.training_table import training_table

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.report import TrainingReport

_STAGES = {
    "history": "Read history",
    "features": "Compute features",
    "guard": "Look for leaks",
    "search": "Search parameters",
    "fit": "Fit models",
    "judge": "Calibrate and test",
    "report": "Evaluate and draw",
    "publish": "Register",
}


def train(
    file: Annotated[
        Path | None, typer.Argument(help="With --tabular: CSV or Parquet file of the data set.")
    ] = None,
    config: TrainConfigOption = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Random seed. The same seed and data give the same models."),
    ] = None,
    tenant: TenantOption = None,
    tabular: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT",
            help="Train on the columns of FILE instead of history: a layout with a section"
            " \\[tabular], or your own TOML file. The models are named <layout>-<variant>; no plan"
            " changes.",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Run a published evaluation protocol: handbook, ulb or sparkov. Registers nothing."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="With --protocol: folder of the data sets.", show_default="../shared/data"
        ),
    ] = None,
    allow_leaks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Train even if the leak guard finds CODE; recorded with the run.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Register models even if they beat neither chance nor a baseline; needs --reason.",
        ),
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Reason for --force, kept with the models.")
    ] = None,
    search_trials: Annotated[
        int | None,
        typer.Option(min=1, help="First search the parameters of each variant: number of trials."),
    ] = None,
    search_minutes: Annotated[
        float | None,
        typer.Option(min=0.1, help="Time limit of the search, for all variants together."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.parquet", help="Write the models' predictions for the test rows."
        ),
    ] = None,
    for_every_tenant: ForEveryTenant = False,
    as_json: JsonFlag = False,
) -> None:
    """Train the variants on history, register them as champions and activate their plan.

    The home tenant's models and plan are the house's: they decide for every tenant without its own.
    With --tenant, another tenant gets its own champions and plan, which decide for it alone.

    History is split by time: the models are tested on payments after those they were trained on,
    with a gap as long as labels take to arrive. Runs on the Ray cluster that RAY_ADDRESS names,
    else on one of its own.
    """
    _check_usage(file, tabular, protocol, data, predictions)
    forced = _force_reason(force, reason)
    from fraud.errors import InvalidInput, NotTrainable, OtherTenant
    from training.evaluate.skill import NoSkill
    from training.finding import LeakFound

    try:
        parameters = _parameters(config, seed, search_trials, search_minutes, allow_leaks or [])
        if protocol is not None:
            emit(_protocol(protocol, data, parameters), as_json, protocol_table)
            return
        outputs = _Outputs(for_every_tenant, predictions, forced)
        if tabular is not None and file is not None:
            document = _tabular(tabular, file, parameters, outputs)
        else:
            document = _history(tenant, parameters, outputs)
        emit(document, as_json, training_table)
    except OtherTenant as error:
        raise CommandFailed(str(error), EVERY_TENANT_HINT) from None
    except InvalidInput as error:
        raise CommandFailed(error.detail, "see docs/training.md", exit_code=2) from None
    except (LeakFound, NoSkill) as error:
        raise CommandFailed(str(error), "") from None
    except NotTrainable as error:
        hint = "`quorum load` or `quorum generate` adds history; --config changes the split"
        has_file = tabular is not None or protocol is not None
        raise CommandFailed(str(error), "" if has_file else hint) from None


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Options for the results of a training; `force` is the reason for --force, None without."""

    for_every_tenant: bool
    predictions: Path | None
    force: str | None

    def document(self, report: TrainingReport) -> dict[str, Any]:
        """Return the report's document, with the file of predictions."""
        document = report.to_document()
        if self.predictions is None:
            return document
        return {**document, "predictions": str(self.predictions)}


def _parameters(
    config: Path | None,
    seed: int | None,
    search_trials: int | None,
    search_minutes: float | None,
    allow_leaks: list[str],
) -> TrainConfig:
    """Read the configuration; options of the command line override it."""
    from training.config import TrainConfig, read_config

    parameters = TrainConfig() if config is None else read_config(config)
    if seed is not None:
        parameters = parameters.model_copy(update={"seed": seed})
    budget = {"trials": search_trials, "minutes": search_minutes}
    given = {name: value for name, value in budget.items() if value is not None}
    search = parameters.search.model_copy(update=given)
    return _allowing(parameters.model_copy(update={"search": search}), allow_leaks)


def _force_reason(force: bool, reason: str | None) -> str | None:
    if reason is not None and not force:
        raise CommandFailed("--reason goes with --force", "see --help", 2)
    if force and not (reason or "").strip():
        raise CommandFailed(
            "--force needs a --reason, which is kept with the models", "see --help", 2
        )
    return reason


def _allowing(config: TrainConfig, codes: list[str]) -> TrainConfig:
    """Return the configuration with more allowed codes of the leak guard."""
    from training.finding import CODES

    unknown = sorted(set(codes) - set(CODES))
    if unknown:
        raise CommandFailed(
            f"--allow-leaks: unknown code {unknown[0]}",
            f"expected one of {', '.join(CODES)}",
            exit_code=2,
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
        raise wrong("--tabular and --protocol cannot be combined", "give one of them")
    if tabular is not None and file is None:
        raise wrong("--tabular needs the FILE of the data set", "quorum train --tabular ulb FILE")
    if tabular is None and file is not None:
        hint = "load it with `quorum load`, then run `quorum train`; or give --tabular LAYOUT"
        raise wrong("FILE can be given with --tabular only", hint)
    if data is not None and protocol is None:
        raise wrong("--data goes with --protocol", "quorum train --protocol handbook --data FOLDER")
    if predictions is not None and protocol is not None:
        raise wrong("--predictions and --protocol cannot be combined", "give one of them")


def _history(tenant: str | None, config: TrainConfig, outputs: _Outputs) -> dict[str, Any]:
    from cluster.home.connection import database_url
    from training.pipeline import train as run

    settings = load_settings(tenant)
    database_url(settings)  # fails early, with a hint, if it is not set
    with StageBars(_STAGES) as bars:
        report = run(
            settings,
            config,
            bars.show,
            ray_address=os.environ.get("RAY_ADDRESS"),
            for_every_tenant=outputs.for_every_tenant,
            predictions=outputs.predictions,
            force=outputs.force,
        )
    return outputs.document(report)


def _tabular(layout: str, file: Path, config: TrainConfig, outputs: _Outputs) -> dict[str, Any]:
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, load_layout
    from training.pipeline import train_tabular

    try:
        with StageBars(_STAGES) as bars:
            report = train_tabular(
                load_settings(),
                load_layout(layout),
                file,
                config,
                bars.show,
                ray_address=os.environ.get("RAY_ADDRESS"),
                for_every_tenant=outputs.for_every_tenant,
                predictions=outputs.predictions,
                force=outputs.force,
            )
    except (LayoutInvalid, SourceUnreadable) as error:
        raise CommandFailed(str(error), "docs/layouts.md describes [tabular]") from None
    return outputs.document(report)


def _protocol(name: str, data: Path | None, config: TrainConfig) -> dict[str, Any]:
    from cluster.home.paths import data_folder
    from data.files.source import SourceUnreadable
    from training.protocols.catalogue import PROTOCOLS
    from training.protocols.protocol import run_protocol

    if name not in PROTOCOLS:
        raise CommandFailed(
            f"unknown protocol {name}", f"expected one of {', '.join(PROTOCOLS)}", exit_code=2
        )
    cache = load_settings().home / "cache"
    try:
        with StageBars(_STAGES) as bars:
            return run_protocol(PROTOCOLS[name], data or data_folder(), cache, config, bars.show)
    except SourceUnreadable as error:
        raise CommandFailed(str(error), "set --data to the folder of the data sets") from None
