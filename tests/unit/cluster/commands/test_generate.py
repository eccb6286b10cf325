"""`quorum generate`."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cluster.cli import run


def test_it_writes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "world.parquet"
    span = ["--customers", "30", "--days", "3", "--start", "2026-01-05"]
    assert run(["generate", *span, "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    table = pq.read_table(out)
    assert report["rows"] == len(table) > 0
    days = {t.date().isoformat() for t in table["timestamp"].to_pylist()}
    assert days == {"2026-01-05", "2026-01-06", "2026-01-07"}
    assert [p.name for p in out.parent.iterdir()] == ["world.parquet"]


def test_start_and_end_cannot_be_combined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ["--start", "2026-01-05", "--end", "2026-02-05"]
    assert run(["generate", *span, "--out", str(tmp_path / "x.parquet")]) == 2
    assert "--start and --end" in capsys.readouterr().err
    assert not (tmp_path / "x.parquet").exists()
