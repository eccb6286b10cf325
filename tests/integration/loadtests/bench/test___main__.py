"""The benchmark's command, against a server that answers correctly and one that does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.bench.__main__ import main
from tests.integration.loadtests.conftest import Serve

BRIEF = ["--apps", "quorum", "--rounds", "1", "--seconds", "0.2", "--warm-up", "0"]
BRIEF += ["--connections", "1,3", "--rates", "50", "--payments", "500", "--agree-on", "2"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    row = {"timestamp": datetime(2026, 3, 1, tzinfo=UTC), "amount": 1.5, "type": "purchase"}
    (tmp_path / "data").mkdir()
    pq.write_table(
        pa.Table.from_pylist([row | {"customer_id": "c", "currency": "EUR"}]),
        tmp_path / "data" / "history.parquet",
    )
    monkeypatch.delenv("QUORUM_LOAD_FILE", raising=False)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("QUORUM_API_KEY", "qk_a_b")
    return tmp_path


def test_figures_as_json_in_a_report_and_in_a_picture(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", serve("right"))
    assert main([*BRIEF, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    loads = [(m["load"]["mode"], m["load"]["amount"], m["failures"]) for m in found["medians"]]
    assert loads == [("closed", 1, 0), ("closed", 3, 0), ("batch", 4, 0), ("open", 50, 0)]
    (report,) = (home / "reports").glob("bench-*.md")
    assert "| quorum | 3 connections |" in report.read_text()
    assert json.loads(report.with_suffix(".json").read_text()) == found
    assert report.with_suffix(".png").stat().st_size > 1000


def test_a_wrong_answer_fails_it(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", serve("mixed-up"))
    assert main(BRIEF) == 1
    assert "the answer is for another request" in capsys.readouterr().err


def test_what_cannot_be_measured_is_said_in_a_line(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", serve("failing"))
    assert main(BRIEF) == 2
    monkeypatch.setenv("QUORUM_URL", serve("right"))
    assert main([*BRIEF, "--apps", "quorum,no-op"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert errors[0] == "error: Unanswered: quorum: status 500"
    assert errors[1].startswith("error: NoNode: no Ray node of ")
