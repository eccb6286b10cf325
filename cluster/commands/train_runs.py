"""What `quorum train` runs: a training on history, on a table, on a file, or a protocol."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.commands.options import load_settings
from cluster.errors import CommandFailed
from cluster.terminal.bars import StageBars
from cluster.terminal.console import emit, print_line, step
from cluster.terminal.tables.training import training_table
from cluster.terminal.understood import understood_text

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.report import TrainingReport

_SEARCH_MINUTES = 3.0
STAGES = {
    "history": "Read history",
    "features": "Compute features",
    "guard": "Look for leaks",
    "search": "Search parameters",
    "fit": "Fit models",
    "judge": "Calibrate and test",
    "report": "Evaluate and draw",
    "publish": "Register",
}


@dataclass(frozen=True, slots=True)
class AutoOptions:
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
class Outputs:
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


def run_auto(
    file: Path,
    options: AutoOptions,
    tenant: str | None,
    config: TrainConfig,
    outputs: Outputs,
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
        with StageBars(STAGES) as bars:
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


def run_history(tenant: str | None, config: TrainConfig, outputs: Outputs) -> dict[str, Any]:
    from cluster.home.connection import database_url
    from training.pipeline import train as run

    settings = load_settings(tenant)
    database_url(settings)  # fails early, with a hint, if it is not set
    with StageBars(STAGES) as bars:
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


def run_tabular(layout: str, file: Path, config: TrainConfig, outputs: Outputs) -> dict[str, Any]:
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, load_layout
    from training.pipeline import train_tabular

    try:
        with StageBars(STAGES) as bars:
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


def run_named_protocol(name: str, data: Path | None, config: TrainConfig) -> dict[str, Any]:
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
        with StageBars(STAGES) as bars:
            return run_protocol(PROTOCOLS[name], data or data_folder(), cache, config, bars.show)
    except SourceUnreadable as error:
        raise CommandFailed(str(error), "set --data to the folder of the data sets") from None
