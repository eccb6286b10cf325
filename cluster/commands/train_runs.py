"""What `quorum train` runs: a training on history, on a table, on a file, or a protocol."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

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


def run_auto(
    file: Path,
    options: AutoOptions,
    tenant: str | None,
    config: TrainConfig,
    outputs: Outputs,
    as_json: bool,
) -> None:
    """Understand a file, say so, and train on it.

    Raises:
        CommandFailed: the file cannot be read, or it is not clear what it is.
    """
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
            emit(understood, as_json, lambda document: escape(understood_text(document)))
            return
        if not as_json:
            print_line(understood_text(understood))
        searching = options.searching(config)
        document = _trained(partial(train_file, settings, found, file, searching), outputs)
    except Unclear as error:
        raise CommandFailed(error.what, error.settle) from None
    except SourceUnreadable as error:
        raise CommandFailed(str(error.args[0]), "check the file") from None
    except LayoutInvalid as error:
        hint = "write a layout by hand, see docs/layouts.md, and give --tabular LAYOUT"
        raise CommandFailed(f"cannot tell what the file is: {error.args[0]}", hint) from None
    emit({**document, "understood": understood}, as_json, training_table)


def run_history(tenant: str | None, config: TrainConfig, outputs: Outputs) -> dict[str, Any]:
    """Train on a tenant's history. Return the report's document.

    Raises:
        CommandFailed: DATABASE_URL is not set.
    """
    from cluster.home.connection import database_url
    from training.pipeline import train as run

    settings = load_settings(tenant)
    database_url(settings)  # fails early, with a hint, if it is not set
    return _trained(partial(run, settings, config), outputs)


def run_tabular(layout: str, file: Path, config: TrainConfig, outputs: Outputs) -> dict[str, Any]:
    """Train on the columns of a file that a layout describes. Return the report's document.

    Raises:
        CommandFailed: the layout or the file cannot be used.
    """
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, load_layout
    from training.pipeline import train_tabular

    try:
        training = partial(train_tabular, load_settings(), load_layout(layout), file, config)
        return _trained(training, outputs)
    except (LayoutInvalid, SourceUnreadable) as error:
        raise CommandFailed(str(error), "docs/layouts.md describes [tabular]") from None


def run_named_protocol(name: str, data: Path | None, config: TrainConfig) -> dict[str, Any]:
    """Run a published protocol. Return its document.

    Args:
        data: folder of the data sets; None: the project's.

    Raises:
        CommandFailed: there is no such protocol, or its data set cannot be read.
    """
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


def _trained(training: Callable[..., TrainingReport], outputs: Outputs) -> dict[str, Any]:
    """Run a training with a bar for each stage. Return the report's document, with the file of
    predictions."""
    with StageBars(STAGES) as bars:
        report = training(
            bars.show,
            ray_address=os.environ.get("RAY_ADDRESS"),
            for_every_tenant=outputs.for_every_tenant,
            predictions=outputs.predictions,
            force=outputs.force,
        )
    document = report.to_document()
    if outputs.predictions is None:
        return document
    return {**document, "predictions": str(outputs.predictions)}
