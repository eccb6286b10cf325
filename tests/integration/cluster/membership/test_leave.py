"""What a node that leaves does with the log that its replicas left, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.membership import leave as module
from cluster.membership.leave import leave
from decision_log.disk.segment import segments
from settings.settings import Settings
from tests.contracts.decision_logs import NO_DATABASE, assert_exactly_once, kill, start_writer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    """The home of a node whose processes have ended."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    node = SimpleNamespace(running=False, stop=lambda: 0)
    monkeypatch.setattr(module, "Node", SimpleNamespace(of=lambda _: node))
    return tmp_path / "home"


def killed_writer(root: Path) -> list[str]:
    """Kill a writer in the middle of appends. Returns the decisions that it answered."""
    writer = start_writer(root, NO_DATABASE, "a")
    assert writer.stdout is not None
    told = [writer.stdout.readline().strip() for _ in range(100)]
    told += kill(writer)
    assert segments(root / "a")
    return told


def test_what_a_killed_replica_left_is_shipped(home: Path, database_url: str) -> None:
    told = killed_writer(home / "wal")
    assert leave(Settings.load(), 0, 1)["waiting"] == 0
    assert os.listdir(home / "wal") == []
    asyncio.run(assert_exactly_once(database_url, told))


def test_without_postgres_it_stays_and_the_node_leaves_all_the_same(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = killed_writer(home / "wal")
    monkeypatch.setenv("DATABASE_URL", NO_DATABASE)
    assert leave(Settings.load(), 0, 1)["waiting"] == 1
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert leave(Settings.load(), 0, 1)["waiting"] == 0
    asyncio.run(assert_exactly_once(database_url, told))


def test_a_node_that_never_decided_has_nothing_to_ship(home: Path) -> None:
    assert leave(Settings.load(), 0, 1)["waiting"] == 0
