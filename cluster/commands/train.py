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
from cluster.terminal.console import JsonFlag, emit, print_line, step
from cluster.terminal.protocol_table import protocol_table
from cluster.terminal.training_table import training_table
from cluster.terminal.understood import understood_text

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.report import TrainingReport

_SEARCH_MINUTES = 3.0
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
        Path | None,
        typer.Argument(help="With --auto or --tabular: CSV or Parquet file of the data set."),
    ] = None,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto",
            help="Find out what the columns of FILE are, and train on it: on its customers' history"
            " if it has customers and times, else on its columns. No plan changes.",
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            help="With --auto: name of the set; the models are named <name>-<variant>.",
            show_default="the file's",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN[=TEXT]",
            help="With --auto: the column of the label, and the text in it that means fraud.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="With --auto: leave a column out; repeatable."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With --auto: minutes to search parameters for; 0: no search.",
            show_default="3",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --auto: print what FILE is, and stop.")
    ] = False,
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
    options = _AutoOptions(name, label, tuple(without or ()), minutes, dry_run)
    _check_usage(file, tabular, protocol, data, predictions, auto)
    _check_auto(auto, options, file, tabular or protocol)
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
        if auto and file is not None:
            _auto(file, options, tenant, parameters, outputs, as_json)
            return
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
        leaves = auto and isinstance(error, LeakFound)
        hint = "--without COLUMN leaves a column out" if leaves else ""
        raise CommandFailed(str(error), hint) from None
    except NotTrainable as error:
        hint = "`quorum load` or `quorum generate` adds history; --config changes the split"
        has_file = auto or tabular is not None or protocol is not None
        raise CommandFailed(str(error), "" if has_file else hint) from None


@dataclass(frozen=True, slots=True)
class _AutoOptions:
    """The options that go with --auto."""

    name: str | None
    label: str | None
    without: tuple[str, ...]
    minutes: float | None
    dry_run: bool

    def given(self) -> list[str]:
        """The options that were given."""
        values = {
            "--name": self.name is not None,
            "--label": self.label is not None,
            "--without": bool(self.without),
            "--minutes": self.minutes is not None,
            "--dry-run": self.dry_run,
        }
        return [name for name, is_given in values.items() if is_given]

    def searching(self, config: TrainConfig) -> TrainConfig:
        """Return the configuration with a budget for the search, unless it has one."""
        minutes = _SEARCH_MINUTES if self.minutes is None else self.minutes
        if not minutes or (self.minutes is None and config.search.has_budget):
            return config
        search = config.search.model_copy(update={"minutes": minutes})
        return config.model_copy(update={"search": search})


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
    auto: bool,
) -> None:
    def wrong(what: str, hint: str) -> CommandFailed:
        return CommandFailed(what, hint, exit_code=2)

    if tabular is not None and protocol is not None:
        raise wrong("--tabular and --protocol cannot be combined", "give one of them")
    if tabular is not None and file is None:
        raise wrong("--tabular needs the FILE of the data set", "quorum train --tabular ulb FILE")
    if tabular is None and file is not None and not auto:
        hint = "--auto trains on it; or load it with `quorum load`, then run `quorum train`"
        raise wrong("FILE can be given with --auto or --tabular only", hint)
    if data is not None and protocol is None:
        raise wrong("--data goes with --protocol", "quorum train --protocol handbook --data FOLDER")
    if predictions is not None and protocol is not None:
        raise wrong("--predictions and --protocol cannot be combined", "give one of them")


def _check_auto(auto: bool, options: _AutoOptions, file: Path | None, other: str | None) -> None:
    if auto and file is None:
        raise CommandFailed("--auto needs a labelled FILE", "quorum train --auto FILE", 2)
    if auto and other is not None:
        what = "--auto cannot be combined with --tabular or --protocol"
        raise CommandFailed(what, "give one of them", 2)
    given = options.given()
    if not auto and given:
        raise CommandFailed(f"{given[0]} goes with --auto", "quorum train --auto FILE", 2)


def _auto(
    file: Path,
    options: _AutoOptions,
    tenant: str | None,
    config: TrainConfig,
    outputs: _Outputs,
    as_json: bool,
) -> None:
    """Understand a file, say so, and train on it."""
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid
    from training.auto.file_training import train_file
    from training.auto.unclear import Unclear
    from training.auto.understanding import understand

    settings = load_settings(tenant)
    try:
        with step(f"Read {file.name}"):
            found = understand(
                file, name=options.name, label=options.label, without=options.without
            )
        understood = found.to_document()
        if options.dry_run:
            emit(understood, as_json, understood_text)
            return
        if not as_json:
            print_line(understood_text(understood))
        with StageBars(_STAGES) as bars:
            report = train_file(
                settings,
                found,
                file,
                options.searching(config),
                bars.show,
                ray_address=os.environ.get("RAY_ADDRESS"),
                for_every_tenant=outputs.for_every_tenant,
                predictions=outputs.predictions,
                force=outputs.force,
            )
    except Unclear as error:
        raise CommandFailed(error.what, error.settle) from None
    except SourceUnreadable as error:
        raise CommandFailed(str(error.args[0]), "check the file") from None
    except LayoutInvalid as error:
        hint = "write a layout by hand, see docs/layouts.md, and give --tabular LAYOUT"
        raise CommandFailed(f"cannot tell what the file is: {error.args[0]}", hint) from None
    emit({**outputs.document(report), "understood": understood}, as_json, training_table)


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
