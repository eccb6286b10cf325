"""The checks of a machine, in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.node import machine as module
from cluster.node.machine import check_machine
from cluster.node.node import Node

FIRST = ["python", "disk", "open files"]
LATER = ["memory", "shared memory", "stop", "free"]


class Machine:
    """A machine, and the checks that were made."""

    def __init__(self) -> None:
        self.running = False
        self.unfit = ""
        self.done: list[str] = []

    def do(self, what: str) -> Callable[..., Any]:
        def done(*_: Any) -> None:
            self.done.append(what)
            if what == self.unfit:
                raise CommandFailed(f"{what} is unfit", "")

        return done


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    checks = {
        "check_python": "python",
        "check_disk": "disk",
        "raise_open_files": "open files",
        "check_memory": "memory",
        "check_shared_memory": "shared memory",
        "require_free": "free",
    }
    for name, what in checks.items():
        monkeypatch.setattr(module, name, machine.do(what))
    monkeypatch.setattr(Node, "running", property(lambda _: machine.running))
    monkeypatch.setattr(Node, "stop", machine.do("stop"))
    return machine


def node(home: Path, http_port: int = 8000, **options: str) -> Node:
    return Node(home, http_port, 8265, 6379, 8500, 8001, **options)


def test_what_a_crash_left_is_ended_before_ports_are_looked_at(
    machine: Machine, tmp_path: Path
) -> None:
    assert check_machine(node(tmp_path)) is False
    assert machine.done == [*FIRST, *LATER]


def test_a_node_that_runs_has_its_memory_and_ports(machine: Machine, tmp_path: Path) -> None:
    machine.running = True
    assert check_machine(node(tmp_path)) is True
    assert machine.done == FIRST


@pytest.mark.parametrize("what", [*FIRST, "memory", "shared memory"])
def test_an_unfit_machine_is_refused_before_anything_is_ended(
    machine: Machine, tmp_path: Path, what: str
) -> None:
    machine.unfit = what
    with pytest.raises(CommandFailed, match=f"{what} is unfit"):
        check_machine(node(tmp_path))
    assert machine.done[-1] == what


def test_a_port_that_ray_gives_to_workers_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"port 10002 \(HTTP front\)") as failure:
        check_machine(node(tmp_path, 10_002))
    assert failure.value.exit_code == 2
    assert machine.done == FIRST


def test_a_node_of_several_listens_at_every_address(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"QUORUM_HTTP_HOST is 10\.0\.0\.5"):
        check_machine(node(tmp_path, host="10.0.0.5", http_host="10.0.0.5"))
    assert machine.done == FIRST
    check_machine(node(tmp_path, host="10.0.0.5", http_host="0.0.0.0"))
    check_machine(node(tmp_path, http_host="127.0.0.1"))
