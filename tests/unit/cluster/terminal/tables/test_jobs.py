"""Jobs for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from bulk.jobs.state import JobState
from cluster.terminal.tables.jobs import job_list, job_text, summary_tables
from tests.contracts.jobs import new_job

SUMMARY: dict[str, Any] = {
    "levels": {"low": 95, "high": 2, "medium": 3, "unscored": 0},
    "fraud_rate": {"estimate": 0.021, "low": 0.01, "high": 0.03, "method": "label-shift"},
    "doubts": ["age is spread otherwise"],
    "models": [{"reference": "cards@0123456789ab", "weight": 1.0, "similarity": 0.9, "mean": 0.02}],
    "drift": [
        {"reference": "cards@0123456789ab", "column": "amount", "file_column": "x", "psi": 0.1},
        {"reference": "cards@0123456789ab", "column": "age", "file_column": "y", "psi": 1.5},
    ],
}


def shown(renderable: Any) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_a_list_has_a_line_for_each_job_with_its_whole_id() -> None:
    job = new_job(file_name="[b]odd[/b].csv", rows_total=200, rows_done=99, rows_failed=1)
    text = shown(job_list([job]))
    assert str(job.job_id) in text
    assert "50%" in text
    assert "[b]odd[/b].csv" in text
    assert job_list([]) == "no jobs"


def test_a_job_shows_its_state_and_problem() -> None:
    job = new_job(
        state=JobState.FAILED,
        problem={"code": "file-gone", "detail": "the file is not there any more"},
        rows_total=200,
        rows_failed=3,
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    text = shown(job_text(job))
    assert "failed, 0 of 200 rows, 3 could not be read" in text
    assert "the file is not there any more" in text
    assert "kept until 2026-12-01" in text


def test_a_summary_shows_levels_rate_models_and_the_worst_drift_first() -> None:
    text = shown(summary_tables(SUMMARY))
    assert "Look twice: age is spread otherwise" in text
    assert "2.00%" in text
    assert text.index("high") < text.index("medium") < text.index("low")
    assert "unscored" not in text
    assert "Estimated rate of fraud: 2.100%, 95 % between 1.000% and 3.000% (label-shift)" in text
    assert "cards@0123456789ab" in text
    assert text.index("1.50") < text.index("0.10")
    unknown = {**SUMMARY, "fraud_rate": {**SUMMARY["fraud_rate"], "estimate": None}}
    assert "cannot be estimated" in shown(summary_tables(unknown))
