"""`quorum retrain`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import (
    GatesOption,
    TenantOption,
    TrainConfigOption,
    load_settings,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, step
from cluster.terminal.failures import without_hint

if TYPE_CHECKING:
    from settings.settings import Settings
    from training.retrain import RetrainResult

BUSY_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: another retraining runs, try again later."""


def retrain(
    config: TrainConfigOption = None,
    min_labels: Annotated[
        int,
        typer.Option(min=0, help="Payments that must have been labelled since the last training."),
    ] = 100,
    gates: GatesOption = None,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train challengers if enough payments were labelled since the last training.

    Made for a schedule. The served models stay; the challengers are registered and compared with
    them, and `quorum models promote --run latest` lets them serve. With too few new labels nothing
    is done, with exit code 0. Exit code 75 if another retraining of the tenant is running on any
    machine.
    """
    from cluster.home.connection import database_url
    from fraud.errors import Busy, QuorumError

    settings = load_settings(tenant)
    database_url(settings)  # fails early, with a hint, if it is not set
    try:
        with step("Retrain") as running:
            done = _retrain(settings, config, min_labels, gates, running.note)
            running.result = "challengers registered" if done.trained else "nothing to do"
    except Busy as error:
        what = "another retraining of this tenant is running"
        raise CommandFailed(what, "nothing was done; try again later", BUSY_EXIT_CODE) from error
    except QuorumError as error:
        raise without_hint(error) from error
    emit(done.document(), as_json, _render)


def _retrain(
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

    parameters = TrainConfig() if config is None else read_config(config)

    def progress(stage: str, done: int, total: int) -> None:
        note(f"{stage} {done:,} of {total:,}")

    assessor = Assessor(
        settings,
        store_of(settings),
        Scorer.load,
        GateConfig() if gates is None else read_gates(gates),
        lambda done, of: progress("compare", done, of),
    )
    train = training_of(settings, parameters, progress, os.environ.get("RAY_ADDRESS"))
    files = settings.home / "mlruns"
    return run(
        settings, min_labels, train, lambda: Registry(settings.tracking_uri, files), assessor
    )


def _render(document: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.text import Text

    from cluster.terminal.tables.models import gates_table
    from cluster.terminal.tables.training import training_table

    if not document["trained"]:
        return document["said"]
    return Group(
        training_table(document["report"]),
        gates_table(document["comparison"]),
        Text(document["said"]),
    )
