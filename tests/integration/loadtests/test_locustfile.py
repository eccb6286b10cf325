"""Locust itself, for two seconds, against a server that answers correctly and one that does not."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.contracts.root import ROOT

from .conftest import Serve


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    row = {"timestamp": datetime(2026, 3, 1, tzinfo=UTC), "amount": 1.5, "type": "purchase"}
    rows = [row | {"customer_id": f"c{i}", "currency": "EUR", "is_fraud": i < 3} for i in range(9)]
    path = tmp_path / "payments.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def locust(url: str, payments: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "QUORUM_URL": url,
        "QUORUM_API_KEY": "qk_a_b",
        "QUORUM_LOAD_FILE": str(payments),
        "QUORUM_LOAD_RATE_PER_USER": "50",
        "QUORUM_LOAD_SETTLED_S": "0.2",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py")]
    # Some 800 requests, even on a slow machine: one in fifty is of the rarest kind.
    command += ["--headless", "--users", "8", "--spawn-rate", "20", "--run-time", "6s"]
    command += ["--only-summary", "--html", str(payments.with_name("load.html"))]
    return subprocess.run(
        command, env=environment, cwd=payments.parent, capture_output=True, text=True, timeout=60
    )


def test_every_kind_of_request_passes(serve: Serve, payments: Path) -> None:
    done = locust(serve("right"), payments)
    assert done.returncode == 0, done.stderr
    for name in ("/v1/decisions ", "/v1/decisions/batch", "/v1/decisions/{id} ", "{id}/labels"):
        assert name in done.stderr
    assert payments.with_name("load.html").stat().st_size > 1000


def test_a_mixed_up_row_fails_the_run(serve: Serve, payments: Path) -> None:
    done = locust(serve("mixed-up"), payments)
    assert done.returncode == 1
    assert "not this payment's answer" in done.stderr
