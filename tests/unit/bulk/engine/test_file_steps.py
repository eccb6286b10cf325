"""The steps of a job, one after the other; the engine's own process imports nothing large."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow.parquet as pq
import pytest

from bulk.engine.file_steps import FileSteps
from bulk.engine.steps import ReadOrder
from bulk.files.sample import sample_upload
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import ROW, JobPaths
from bulk.jobs.state import JobState
from data.cells.texts import DEFAULT_MISSING
from references.matching.match import Match
from tests.contracts.scored_jobs import column, history_model, plan, tabular_model

_LARGE = ("numpy", "pandas", "pyarrow", "scipy", "sklearn", "onnxruntime", "ray")
_SCRIPT = f"""
import sys
import bulk.engine.file_steps, bulk.engine.runner, bulk.engine.submission
import bulk.engine.workers.process_pool
import bulk.jobs.store
print(*[name for name in {_LARGE!r} if name in sys.modules])
"""


def test_what_runs_jobs_leaves_arrow_and_models_to_its_workers() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []


def _csv(n: int = 260) -> str:
    """Payments in no order of time; row 4 has no time, row 9 a strange amount."""
    rng = np.random.default_rng(5)
    at = 1_700_000_000 + rng.permutation(n) * 700
    lines = ["who,when,betrag,shop,kind"]
    for i, amount in enumerate(rng.lognormal(3, 1, n)):
        when = "" if i == 3 else str(np.datetime64(int(at[i]), "s"))
        cell = "n.a." if i == 8 else f"{amount:.2f}"
        lines.append(f"c{i % 9},{when},{cell},m{i % 23},{'pos' if i % 3 else 'web'}")
    return "\n".join(lines) + "\n"


def test_a_file_is_scored_by_models_of_payments_and_of_columns_together(tmp_path: Path) -> None:
    history = history_model(
        tmp_path / "h",
        {"customer_id": "who", "timestamp": "when", "amount": "betrag", "merchant_id": "shop"},
        reference="payments@0123456789ab",
        weight=0.6,
    )
    table = tabular_model(
        tmp_path / "t",
        [column("amount", "betrag", factor=0.01), column("kind", categorical=True)],
        reference="rows@ba9876543210",
        weight=0.4,
        anomaly=True,
    )
    paths = JobPaths(tmp_path / "job")
    paths.folder.mkdir()
    paths.upload.write_text(_csv())
    order = ReadOrder(paths, "file.csv", {}, 1 << 20)
    sample_upload(order.open(), paths, seed=0)
    scoring = plan([history, table], ["betrag"], missing=tuple(DEFAULT_MISSING))
    steps = FileSteps()

    assert steps.read(order).parts == (260,)
    steps.replay(paths, scoring, Match((), ()))
    steps.score(paths, 0, scoring)
    summary = steps.finish(paths, scoring, _job(JobOptions()))

    result = pq.read_table(paths.result).to_pydict()
    assert result["who"] == [f"c{i % 9}" for i in range(260)]
    by_payments = np.array(result["quorum_score_payments"], np.float64)
    by_rows = np.array(result["quorum_score_rows"], np.float64)
    # Rows that are no payments have no score of the one model, and that of the other.
    assert np.flatnonzero(np.isnan(by_payments)).tolist() == [3, 8]
    assert np.isfinite(by_rows).all()
    amount = np.array([float(a) if a != "n.a." else 0.0 for a in result["betrag"]])
    assert by_rows == pytest.approx(1 / (1 + np.exp(-0.01 * amount)), abs=1e-6)
    probability = np.array(result["quorum_probability"])
    assert probability[[3, 8]] == pytest.approx(by_rows[[3, 8]], abs=1e-6)
    both = np.isfinite(by_payments)
    assert probability[both] == pytest.approx((0.6 * by_payments + 0.4 * by_rows)[both], abs=1e-5)
    assert summary["rows"] == {"total": 260, "scored": 260, "unscored": 0}
    assert [m["rows"] for m in summary["models"]] == [258, 260]
    errors = pq.read_table(paths.errors).to_pylist()
    assert [(e[ROW], e["column"]) for e in errors] == [(4, "when"), (9, "betrag")]
    # Once more, as after a killed process: nothing is told twice.
    assert steps.finish(paths, scoring, _job(JobOptions())) == summary
    assert pq.read_table(paths.errors).num_rows == 2


def _job(options: JobOptions) -> Job:
    return Job(
        UUID(int=0), "acme", "file.csv", "upload", "here", JobState.FINISHING, options, 1,
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
