"""A machine joins, or nothing of it is left running."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.home import settings_file
from cluster.membership import join as module
from cluster.membership.join import join
from cluster.node.gcs import RayNode
from cluster.node.node import Node
from settings.settings import Settings

HOST, HEAD = "10.0.0.5", "10.0.0.1:6379"


class Machine:
    """A machine that joins, the head, and what was done. Checks and stores are not looked at."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runs_already = False
        self.cluster_id: str | None = "c1"
        self.there: list[RayNode] = [RayNode("h", "10.0.0.1", True, "alive", {})]
        self.failures: dict[str, BaseException] = {}
        self.done: list[str] = []

    def do(self, what: str) -> None:
        self.done.append(what)
        if what in self.failures:
            raise self.failures[what]

    def node_of(self, settings: Settings) -> Any:
        node = Node.of(settings)
        return SimpleNamespace(
            start=lambda: self.do("start"),
            stop=lambda: self.do("stop"),
            **{
                name: getattr(node, name)
                for name in ("home", "host", "head", "address", "url", "own_url")
            },
        )

    def check_machine(self, _: Any) -> bool:
        self.do("check machine")
        return self.runs_already

    def require_shared(self, _: Settings) -> None:
        self.do("check settings")

    def gcs(self, address: str) -> Any:
        self.do(f"head {address}")
        return SimpleNamespace(cluster_id=lambda: self.cluster_id, nodes=lambda: self.there)

    async def require_same_stores(self, _: Settings, cluster_id: str) -> None:
        self.do(f"stores of {cluster_id}")

    def wait_ready(self, url: str, *, timeout_s: float, note: Any) -> None:
        assert url == f"http://{HOST}:8001"
        assert timeout_s == 10
        assert callable(note)
        self.do("ready")

    def kept(self) -> dict[str, str]:
        return settings_file.read(self.home / settings_file.NAME)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "home")
    # Set first, so that what `join` sets is undone.
    for name in ("QUORUM_HEAD", "QUORUM_HOST"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("QUORUM_HOME", str(machine.home))
    monkeypatch.setattr(module, "Node", SimpleNamespace(of=machine.node_of))
    monkeypatch.setattr(module, "Gcs", machine.gcs)
    for name in ("check_machine", "require_shared", "require_same_stores", "wait_ready"):
        monkeypatch.setattr(module, name, getattr(machine, name))
    return machine


CHECKS = ["check settings", "check machine", f"head {HEAD}", "stores of c1"]


def test_it_checks_starts_and_waits_in_order(machine: Machine) -> None:
    report = join("10.0.0.1", HOST, 10)
    assert machine.done == [*CHECKS, "start", "ready"]
    assert report.pop("seconds") >= 0
    assert report == {
        "url": f"http://{HOST}:8000",
        "own_url": f"http://{HOST}:8001",
        "head": HEAD,
    }


def test_later_commands_know_the_head(machine: Machine) -> None:
    join("10.0.0.1:7000", HOST, 10)
    assert machine.kept() == {"QUORUM_HEAD": "10.0.0.1:7000", "QUORUM_HOST": HOST}
    assert os.environ["QUORUM_HEAD"] == "10.0.0.1:7000"


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        ("start", CommandFailed("Ray does not start", "")),
        ("ready", CommandFailed("not ready in time", "")),
        ("ready", KeyboardInterrupt()),
    ],
)
def test_nothing_is_left_running_after_a_failed_start(
    machine: Machine, what: str, failure: BaseException
) -> None:
    machine.failures[what] = failure
    with pytest.raises(type(failure)):
        join("10.0.0.1", HOST, 10)
    assert machine.done[-2:] == [what, "stop"]
    assert machine.kept() == {}


@pytest.mark.parametrize("what", ["check settings", "check machine", "stores of c1", CHECKS[2]])
def test_an_unfit_machine_starts_nothing(machine: Machine, what: str) -> None:
    machine.failures[what] = CommandFailed("unfit", "")
    with pytest.raises(CommandFailed, match="unfit"):
        join("10.0.0.1", HOST, 10)
    assert machine.done[-1] == what
    assert machine.kept() == {}


def test_a_ray_that_is_no_quorum_is_refused(machine: Machine) -> None:
    machine.cluster_id = None
    with pytest.raises(CommandFailed, match=f"Ray at {HEAD} belongs to no Quorum"):
        join("10.0.0.1", HOST, 10)
    assert machine.done == CHECKS[:3]
    assert machine.kept() == {}


def test_an_address_that_is_there_already_is_refused(machine: Machine) -> None:
    machine.there.append(RayNode("n", HOST, False, "alive", {}))
    with pytest.raises(CommandFailed, match=f"{HOST} is there already"):
        join("10.0.0.1", HOST, 10)
    assert machine.done == CHECKS[:3]


def test_a_dead_node_gives_its_address_away(machine: Machine) -> None:
    machine.there.append(RayNode("n", HOST, False, "dead", {}))
    join("10.0.0.1", HOST, 10)
    assert machine.done[-1] == "ready"


def test_a_node_that_runs_is_left_alone(machine: Machine) -> None:
    machine.runs_already = True
    with pytest.raises(CommandFailed, match="runs already"):
        join("10.0.0.1", HOST, 10)
    assert machine.done == CHECKS[:2]


def test_the_address_towards_a_head_on_this_machine_is_not_for_others(machine: Machine) -> None:
    with pytest.raises(CommandFailed, match="address of this machine alone") as failure:
        join("127.0.0.1", None, 10)
    assert failure.value.exit_code == 2
    assert "--host" in failure.value.hint
    assert machine.done == []


def test_the_address_of_the_settings_goes_before_the_one_towards_the_head(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_HOST", HOST)
    join("head.invalid:6379", None, 10)  # a name that nobody looks up
    assert machine.kept()["QUORUM_HOST"] == HOST


def test_a_head_whose_name_is_unknown_is_one_line(machine: Machine) -> None:
    with pytest.raises(CommandFailed, match=r"no way to head\.invalid"):
        join("head.invalid", None, 10)
    assert machine.done == []
