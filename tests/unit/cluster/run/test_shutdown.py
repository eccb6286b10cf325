"""`quorum down` stops what runs, in order, whatever has failed before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.run import shutdown
from cluster.run.shutdown import bring_down
from settings.settings import Settings


class Machine:
    """What `quorum down` finds: a node that runs, processes of it, and stores."""

    def __init__(self, running: bool, processes: int, stores: list[str]) -> None:
        self.head: str | None = None
        self.running = running
        self.stores = stores
        self.done: list[str] = []
        self.refusal: Exception | None = None
        self.dashboard = SimpleNamespace(shut_down_serve=self._drain)
        self._processes = processes

    def processes(self) -> list[int]:
        return list(range(self._processes))

    def stop(self) -> int:
        self.done.append("node")
        return self._processes

    def forget_state(self) -> None:
        self.done.append("state")

    def stop_stores(self, home: Path) -> list[str]:
        self.done.append("stores")
        return self.stores

    def _drain(self, wait_s: float) -> None:
        self.done.append(f"drain {wait_s:g}")
        if self.refusal is not None:
            raise self.refusal


def bring_down_machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(shutdown, "Node", SimpleNamespace(of=lambda _: machine))
    monkeypatch.setattr(shutdown.local_stores, "stop", machine.stop_stores)
    return bring_down(Settings(), 3)


def test_requests_are_drained_before_the_node_and_the_stores_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(True, 4, ["Redis", "PostgreSQL"])
    report = bring_down_machine(machine, monkeypatch)
    assert machine.done == ["drain 3", "node", "state", "stores"]
    assert report["stopped"] == ["Ray", "Redis", "PostgreSQL"]


@pytest.mark.parametrize("refusal", [CommandFailed("no answer", ""), ConnectionRefusedError()])
def test_a_serve_that_does_not_answer_is_stopped_all_the_same(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(True, 4, [])
    machine.refusal = refusal
    assert bring_down_machine(machine, monkeypatch)["stopped"] == ["Ray"]
    assert machine.done == ["drain 3", "node", "state", "stores"]


def test_processes_of_a_crashed_node_are_stopped_without_draining(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(False, 2, [])
    assert bring_down_machine(machine, monkeypatch)["stopped"] == ["Ray"]
    assert machine.done == ["node", "state", "stores"]


def test_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(False, 0, [])
    assert bring_down_machine(machine, monkeypatch)["stopped"] == []
    assert machine.done == ["state", "stores"]


def test_one_node_of_several_leaves_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(True, 4, [])
    machine.head = "10.0.0.1:6379"
    with pytest.raises(CommandFailed, match="quorum leave"):
        bring_down_machine(machine, monkeypatch)
    assert machine.done == []
