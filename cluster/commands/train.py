"""`quorum train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.console import CommandFailed, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.table import Table

_STAGES = {
    "history": "Read history",
    "features": "Replay features",
    "fit": "Fit models",
    "judge": "Calibrate and judge",
    "publish": "Register",
}
_COLUMNS = {
    "roc_auc": "ROC-AUC",
    "average_precision": "avg precision",
    "card_precision_at_100": "card prec@100",
    "recall_at_review_0.005": "recall 0.5 %",
    "recall_at_review_0.01": "recall 1 %",
    "recall_at_review_0.02": "recall 2 %",
    "brier": "Brier",
    "calibration_error": "calib. error",
}


def train(
    config: Annotated[
        Path | None, typer.Option(help="TOML file of what differs from the defaults.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; the same seed and data, the same models.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose history; QUORUM_TENANT if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Train the variants on history, register them as champions and activate their plan.

    History is cut by time: what is judged happened after everything that was learnt from, with a
    gap as long as labels take. Runs on the Ray that RAY_ADDRESS names, else on one of its own.
    """
    import os

    from cluster.connection import database_url
    from fraud.errors import NotTrainable
    from fraud.settings import Settings
    from training.config import TrainConfig, read_config
    from training.pipeline import train as run

    settings = Settings.load()
    database_url(settings)  # says what to do if nothing names a database
    settings = settings.model_copy(update={"tenant": tenant or settings.tenant})
    try:
        told = TrainConfig() if config is None else read_config(config)
        if seed is not None:
            told = told.model_copy(update={"seed": seed})
        with _Bars() as bars:
            report = run(settings, told, bars.show, ray_address=os.environ.get("RAY_ADDRESS"))
    except NotTrainable as error:
        hint = "`quorum load` and `quorum generate` bring history; --config changes the split"
        raise CommandFailed(str(error), hint) from None
    emit(report.to_document(), as_json, render)


class _Bars:
    """One bar a stage on stderr; a stage that is done stays on its line with its seconds."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(30),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TimeElapsedColumn(),
            console=progress,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, stage: str, done: int, total: int) -> None:
        """Progress of `training.pipeline.train`."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(_STAGES[stage], total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)


def render(document: dict[str, Any]) -> Table:
    """A report's figures on the test part, a line a model and one for the ensemble."""
    from rich.table import Table

    rows, frauds, window = document["rows"], document["frauds"], document["window"]
    plan = document["plan"]
    table = Table(
        title=f"On the test part: {window['test_start'][:10]} to {window['test_end'][:10]}",
        caption=(
            f"trained on {rows['train']:,} payments ({frauds['train']:,} frauds), chosen by"
            f" {rows['validation']:,} ({frauds['validation']:,}), calibrated on"
            f" {rows['calibration']:,} ({frauds['calibration']:,}), judged on {rows['test']:,}"
            f" ({frauds['test']:,}); plan {plan['name']} v{plan['version']},"
            f" {sum(document['seconds'].values()):.0f} s"
        ),
    )
    table.add_column("model")
    table.add_column("version")
    for title in _COLUMNS.values():
        table.add_column(title, justify="right")
    for variant in document["variants"]:
        baseline = variant["name"] == document["baseline"]
        table.add_row(
            variant["name"] + (" (baseline)" if baseline else ""),
            variant["version"],
            *_cells(variant["metrics"]),
        )
    table.add_section()
    table.add_row("ensemble", _weights(plan), *_cells(document["ensemble"]), style="bold")
    return table


def _cells(metrics: dict[str, float]) -> list[str]:
    return [f"{metrics[name]:.4f}" if name in metrics else "-" for name in _COLUMNS]


def _weights(plan: dict[str, Any]) -> str:
    said = " + ".join(f"{m['weight']:.2f}" for m in plan["members"])
    return f"{plan['combiner']} {said}"
