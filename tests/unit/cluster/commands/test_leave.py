"""`quorum leave`: what it is told, and where there is nothing to leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import run
from cluster.membership import leave

REPORT = {"drained": True, "processes": 3, "waiting": 0, "seconds": 1.5}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("QUORUM_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return home


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the command hands on."""
    told: list[Any] = []

    def end(settings: Any, *waits: float) -> dict[str, Any]:
        told.append((settings.home, *waits))
        return REPORT

    monkeypatch.setattr(leave, "leave", end)
    return told


def test_the_node_of_this_home_leaves(
    home: Path, told: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    assert run(["leave"]) == 0
    assert told == [(home, 5.0, 60.0)]
    said = capsys.readouterr().out
    assert said == "the node has left: 3 processes ended in 1.5 s\n"


def test_records_that_postgres_does_not_have_are_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    monkeypatch.setattr(leave, "leave", lambda *_: REPORT | {"waiting": 2})
    assert run(["leave"]) == 0
    assert "Keep its disk: `quorum wal ship`" in " ".join(capsys.readouterr().out.split())


def test_its_result_as_json(
    home: Path, told: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    assert run(["leave", "--grace-s", "0", "--drain-s", "2", "--json"]) == 0
    assert told == [(home, 0.0, 2.0)]
    assert json.loads(capsys.readouterr().out) == REPORT


def test_without_a_home_there_is_nothing_to_leave(
    home: Path, told: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["leave"]) == 1
    assert f"there is no Quorum at {home}" in capsys.readouterr().err
    assert told == []
    assert not home.exists()
