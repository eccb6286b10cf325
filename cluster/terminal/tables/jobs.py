"""Jobs of bulk scoring, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bulk.jobs.state import JobState
from cluster.terminal.tables.plain import columns_table, plain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from bulk.jobs.job import Job

_STYLES = {
    JobState.DONE: "green",
    JobState.REFUSED: "red",
    JobState.FAILED: "red",
    JobState.CANCELLED: "dim",
    JobState.WAITING: "yellow",
}
MOST_DRIFTED = 5
LEVELS = ("high", "medium", "low", "unscored")
_NUMBERS = ("rows", "done", "share", "weight", "similarity", "mean score", "PSI")


def job_list(jobs: Sequence[Job]) -> Table | str:
    """Return jobs, one a line."""
    if not jobs:
        return "no jobs"
    table = columns_table("job", "state", "rows", "done", "file", numbers=_NUMBERS, whole=("job",))
    for job in jobs:
        total = job.rows_total
        table.add_row(
            str(job.job_id),
            plain(str(job.state), _STYLES.get(job.state, "")),
            "" if total is None else f"{total:,}",
            "" if not total else f"{(job.rows_done + job.rows_failed) / total:.0%}",
            plain(job.file_name),
        )
    return table


def job_text(job: Job) -> Group:
    """Return one job: its state, and its summary or problem."""
    from rich.console import Group

    rows = "" if job.rows_total is None else f", {job.rows_done:,} of {job.rows_total:,} rows"
    speed = "" if not job.rows_per_s else f", {job.rows_per_s:,.0f} rows/s"
    failed = f", {job.rows_failed:,} could not be read" if job.rows_failed else ""
    shown: list[Any] = [
        plain(f"Job {job.job_id}: {job.file_name}", "bold"),
        plain(f"{job.state}{rows}{failed}{speed}", _STYLES.get(job.state, "")),
    ]
    if job.problem:
        shown.append(plain(str(job.problem.get("detail", "")), "red"))
    if job.summary:
        shown += ["", summary_tables(job.summary)]
    if job.expires_at is not None:
        shown.append(plain(f"kept until {job.expires_at:%Y-%m-%d %H:%M} UTC", "dim"))
    return Group(*shown)


def summary_tables(summary: dict[str, Any]) -> Group:
    """Return the summary of a job that is done."""
    from rich.console import Group

    shown: list[Any] = []
    if "levels" in summary:
        shown.append(_levels(summary))
    if "fraud_rate" in summary:
        shown.append(plain(_rate(summary["fraud_rate"])))
    shown += [plain(f"Look twice: {sentence}", "yellow") for sentence in summary.get("doubts", ())]
    if summary.get("models"):
        shown.append(_models(summary["models"]))
    drifted = sorted(summary.get("drift", []), key=lambda c: -(c.get("psi") or 0))
    if drifted:
        shown.append(_drift(drifted[:MOST_DRIFTED]))
    return Group(*shown)


def _levels(summary: dict[str, Any]) -> Table:
    table = columns_table("level", "rows", "share", numbers=_NUMBERS)
    total = max(sum(summary["levels"].values()), 1)
    for name in LEVELS:  # PostgreSQL keeps no order
        rows = summary["levels"].get(name, 0)
        if rows or name != "unscored":
            table.add_row(name, f"{rows:,}", f"{rows / total:.2%}")
    return table


def _rate(rate: dict[str, Any]) -> str:
    if rate["estimate"] is None:
        return "The rate of fraud cannot be estimated."
    between = ""
    if rate["low"] is not None and rate["high"] is not None:
        between = f", 95 % between {rate['low']:.3%} and {rate['high']:.3%}"
    return f"Estimated rate of fraud: {rate['estimate']:.3%}{between} ({rate['method']})"


def _models(models: list[dict[str, Any]]) -> Table:
    table = columns_table("model", "weight", "similarity", "mean score", numbers=_NUMBERS)
    for model in models:
        mean = model["mean"]
        table.add_row(
            plain(model["reference"]),
            f"{model['weight']:.2f}",
            f"{model['similarity']:.2f}",
            "" if mean is None else f"{mean:.4f}",
        )
    return table


def _drift(columns: list[dict[str, Any]]) -> Table:
    table = columns_table("most drifted", "model", "PSI", numbers=_NUMBERS)
    for column in columns:
        psi = column.get("psi")
        name = column.get("file_column") or column.get("column") or ""
        reference = str(column.get("reference", ""))
        table.add_row(plain(name), plain(reference), "" if psi is None else f"{psi:.2f}")
    return table
