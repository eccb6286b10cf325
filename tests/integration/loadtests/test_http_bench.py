"""The benchmark's command, against a server that is right and one that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.http_bench import main

from .conftest import Serve

BRIEF = ["--rounds", "2", "--seconds", "0.2", "--warm-up", "0", "--connections", "1,3"]
BRIEF += ["--prelude", "0.2"]


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


def test_figures_as_json_and_as_a_table(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", serve("right"))
    assert main([*BRIEF, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(m["connections"], m["failures"]) for m in found["medians"]] == [(1, 0), (3, 0)]
    assert len(found["rounds"]["quorum"]) == 4
    assert main(BRIEF) == 0
    assert "| quorum | 3 |" in capsys.readouterr().out


def test_a_wrong_answer_fails_it(
    home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", serve("mixed-up"))
    assert main(BRIEF) == 1
    assert "the answer is not about what was sent" in capsys.readouterr().err


def test_what_cannot_be_measured_is_said_in_a_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_URL", "http://127.0.0.1:9")
    assert main(BRIEF) == 2
    assert main([*BRIEF, "--no-op"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("error: NoNode: no Ray node of ")
