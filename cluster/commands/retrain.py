"""`quorum retrain`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.terminal.failures import plainly
from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, step

if TYPE_CHECKING:
    from settings.settings import Settings
    from training.retrain import RetrainResult

BUSY_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: another one is at it, try later."""


def retrain(
    config: Annotated[
        Path | None, typer.Option(help="TOML file of what differs from the defaults of training.")
    ] = None,
    min_labels: Annotated[
        int, typer.Option(min=0, help="Payments that must have been labelled since.")
    ] = 100,
    gates: Annotated[
        Path | None, typer.Option("--gates", help="TOML file of limits, as of `models promote`.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose history; QUORUM_TENANT if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Train challengers if enough payments have been labelled since the last training.

    For a schedule. What serves stays as it is; the challengers are registered and held against
    it, and `quorum models promote --run latest` lets them serve. With too few new labels it says
    so and ends with 0; while another one of the tenant runs, on whichever machine, with 75.
    """
    from cluster.home.connection import database_url
    from fraud.errors import Busy, QuorumError
    from settings.settings import Settings

    settings = Settings.load()
    database_url(settings)  # says what to do if nothing names a database
    settings = settings.model_copy(update={"tenant": tenant or settings.tenant})
    try:
        with step("Retrain") as going_on:
            done = _retrained(settings, config, min_labels, gates, going_on.note)
            going_on.result = "challengers registered" if done.trained else "nothing to do"
    except Busy as error:
        what = "another retraining of this tenant is going on"
        raise CommandFailed(what, "nothing done here; try later", BUSY_EXIT_CODE) from error
    except QuorumError as error:
        raise plainly(error) from error
    emit(done.document(), as_json, _render)


def _retrained(
    settings: Settings, config: Path | None, min_labels: int, gates: Path | None, note: Any
) -> RetrainResult:
    from models.scoring.scorer import Scorer
    from models.store.location import store_of
    from training.config import TrainConfig, read_config
    from training.promotion.assessment import Assessor
    from training.promotion.gates import GateConfig, read_gates
    from training.registry.mlflow_registry import Registry
    from training.retrain import retrain as run
    from training.retrain import training_of

    told = TrainConfig() if config is None else read_config(config)

    def progress(stage: str, done: int, total: int) -> None:
        note(f"{stage} {done:,} of {total:,}")

    assessor = Assessor(
        settings,
        store_of(settings),
        Scorer.load,
        GateConfig() if gates is None else read_gates(gates),
        lambda done, of: progress("compare", done, of),
    )
    train = training_of(settings, told, progress, os.environ.get("RAY_ADDRESS"))
    files = settings.home / "mlruns"
    return run(
        settings, min_labels, train, lambda: Registry(settings.tracking_uri, files), assessor
    )


def _render(document: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.text import Text

    from cluster.commands.train import render
    from cluster.terminal.model_tables import gates_table

    if not document["trained"]:
        return document["said"]
    comparison = document["comparison"]
    return Group(
        render(document["report"]),
        gates_table(comparison),
        Text(document["said"]),
    )
