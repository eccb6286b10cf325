"""A node leaves: it is not ready first, its replicas move, it ends."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.membership import leave as module
from cluster.membership.leave import leave
from cluster.node.gcs import RayNode
from settings.settings import Settings

HOST, OTHER = "10.0.0.5", "10.0.0.6"


class Machine:
    """The node of this machine, its head, and what was done."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.host = HOST
        self.head: str | None = "10.0.0.1:6379"
        self.address = "10.0.0.1:6379"
        self.running = True
        self.dashboard = self
        self.replicas = [HOST, OTHER]
        self.moves = True
        self.done: list[str] = []
        self.leaving_at: dict[str, bool] = {}
        self.failures: dict[str, Exception] = {}

    def do(self, what: str) -> None:
        self.done.append(what)
        self.leaving_at[what] = self.settings.leaving.exists()
        if what in self.failures:
            raise self.failures[what]

    def gcs(self, address: str) -> Machine:
        assert address == self.address
        self.do("head")
        return self

    def nodes(self) -> list[RayNode]:
        hosts = {"own": HOST, "other": OTHER}
        return [RayNode(i, host, False, "alive", {}) for i, host in hosts.items()] + [
            RayNode("before", HOST, False, "dead", {})
        ]

    def drain(self, node_id: str, deadline_ms: int) -> None:
        assert 0 < deadline_ms / 1000 - time.time() < 100
        self.do(f"drain {node_id}")
        if self.moves:
            self.replicas = [OTHER, OTHER]

    def serve_details(self) -> dict[str, Any]:
        self.do("details")
        replicas = [{"node_ip": host} for host in self.replicas]
        return {"applications": {"quorum": {"deployments": {"Ingress": {"replicas": replicas}}}}}

    def processes(self) -> list[int]:
        return [1] if self.running else []

    def stop(self) -> int:
        self.do("stop")
        return 3

    def leave(self, drain_s: float = 60.0) -> dict[str, Any]:
        return leave(self.settings, 0.0, drain_s)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "home")
    monkeypatch.setattr(module, "Node", SimpleNamespace(of=lambda _: machine))
    monkeypatch.setattr(module, "Gcs", machine.gcs)
    return machine


def test_it_drains_itself_alone_and_then_ends(machine: Machine) -> None:
    report = machine.leave()
    assert machine.done == ["head", "drain own", "details", "stop"]
    assert (report["drained"], report["processes"]) == (True, 3)


def test_it_is_leaving_until_it_is_started_again(machine: Machine) -> None:
    machine.leave()
    assert set(machine.leaving_at.values()) == {True}
    assert machine.settings.leaving.exists()


def test_after_a_failure_it_is_not_leaving(machine: Machine) -> None:
    machine.failures["stop"] = RuntimeError("a process does not end")
    with pytest.raises(RuntimeError, match="does not end"):
        machine.leave()
    assert machine.leaving_at["stop"]
    assert not machine.settings.leaving.exists()


def test_a_head_does_not_drain(machine: Machine) -> None:
    machine.head = None
    assert machine.leave()["drained"] is False
    assert machine.done == ["stop"]


def test_a_node_that_does_not_run_is_only_cleaned_up(machine: Machine) -> None:
    machine.running = False
    assert machine.leave()["drained"] is False
    assert machine.done == ["stop"]


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        ("head", CommandFailed("no head node", "")),
        ("drain own", CommandFailed("the head does not answer", "")),
        ("details", ConnectionRefusedError(111, "refused")),
        ("details", http.client.IncompleteRead(b"{")),
    ],
)
def test_a_head_that_cannot_be_reached_does_not_stop_it(
    machine: Machine, what: str, failure: Exception
) -> None:
    machine.failures[what] = failure
    report = machine.leave()
    assert machine.done[-2:] == [what, "stop"]
    assert (report["drained"], report["processes"]) == (False, 3)


def test_replicas_that_stay_are_not_waited_for_any_longer(machine: Machine) -> None:
    machine.moves = False
    before = time.monotonic()
    assert machine.leave(drain_s=0.6)["drained"] is False
    assert 0.6 <= time.monotonic() - before < 5
    assert machine.done.count("details") > 1
    assert machine.done[-1] == "stop"


@pytest.mark.parametrize(("running", "ended"), [(True, ["stop"]), (False, [])])
def test_a_node_in_the_foreground_leaves_at_its_end(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, running: bool, ended: list[str]
) -> None:
    """It says why it ended; what did not start has nothing to leave."""
    monkeypatch.setenv("QUORUM_HOME", str(machine.settings.home))
    monkeypatch.setattr(module, "FOREGROUND_GRACE_S", 0.0)
    machine.head, machine.running = None, running

    def start() -> None:
        raise CommandFailed("it does not start", "")

    with pytest.raises(CommandFailed, match="does not start"):
        module.leave_in_foreground(start)
    assert machine.done == ended
