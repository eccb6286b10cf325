"""`quorum up` does what is missing, in order, and leaves the rest alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.node import machine as checks
from cluster.run import startup
from cluster.run.startup import bring_up, bring_up_stores

DOCUMENT = {"applications": [{"args": {"variant": "logistic"}}]}


class Machine:
    """A machine on which `quorum up` runs, and what was done there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running = False
        self.head = None
        self.several = False
        self.ports = {8000: "HTTP front"}
        self.url = "http://127.0.0.1:8000"
        self.dashboard = "dashboard"
        self.no_history = self.no_models = True
        self.done: list[str] = []
        self.failures: dict[str, Exception] = {}

    def do(self, what: str) -> Callable[..., Any]:
        """Return a function that notes `what`, and fails if it is to fail."""

        def done(*_: Any, **__: Any) -> None:
            self.done.append(what)
            if what in self.failures:
                raise self.failures[what]

        return done

    def stop(self) -> None:
        self.do("stop leftovers")()

    def start(self) -> bool:
        self.do("node")()
        return True

    def environment(self) -> dict[str, str]:
        return {"RAY_ADDRESS": "here"}

    def train(self, environment: dict[str, str]) -> dict[str, Any]:
        assert environment == {"RAY_ADDRESS": "here"}
        self.do("train")()
        return {"variants": ["logistic"]}

    def make_history(self, *_: Any) -> int:
        self.do("history")()
        return 1234

    async def migrate(self, _: str) -> Any:
        self.do("schema")()
        return SimpleNamespace(applied=[])

    async def check_stores(self, _: Any) -> None:
        self.do("check stores")()

    def start_stores(self, _: Path) -> list[str]:
        self.do("stores")()
        return ["PostgreSQL started"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "home")
    monkeypatch.setenv("QUORUM_HOME", str(machine.home))
    monkeypatch.setattr(startup, "Node", SimpleNamespace(of=lambda _: machine))
    monkeypatch.setattr(startup.local_stores, "start", machine.start_stores)
    replaced = {
        "read_config": lambda *_, **__: DOCUMENT,
        "serve_config": lambda: Path("serve_config.yaml"),
        "check_python": machine.do("python"),
        "check_disk": machine.do("disk"),
        "check_stores": machine.check_stores,
        "database_url": lambda _: "postgresql://here/d",
        "migrate": machine.migrate,
        "history_missing": lambda _: machine.no_history,
        "make_history": machine.make_history,
        "models_missing": lambda *_: "no plan is active" if machine.no_models else None,
        "train_models": machine.train,
        "whole_deployment": lambda _, config, __: SimpleNamespace(config=config),
        "wait_for_dashboard": machine.do("dashboard"),
        "roll_out": machine.do("roll out"),
        "write_demo_key": lambda *_: "qk_demo",
        "example_request": lambda url, key: f"curl {url} {key}",
    }
    for name, replacement in replaced.items():
        monkeypatch.setattr(startup, name, replacement)
    for name in ("python", "disk", "memory"):
        monkeypatch.setattr(checks, f"check_{name}", machine.do(name))
    monkeypatch.setattr(checks, "require_free", machine.do("ports"))
    return machine


def up() -> dict[str, Any]:
    return bring_up(None, SimpleNamespace(), 10)  # type: ignore[arg-type]


STORES = ["stores", "check stores", "schema"]


def test_a_first_start_does_everything_in_order(machine: Machine) -> None:
    assert up() == {
        "url": "http://127.0.0.1:8000",
        "api_key": "qk_demo",
        "curl": "curl http://127.0.0.1:8000 qk_demo",
    }
    machine.done.remove("node")  # beside the others
    checks = ["python", "disk", "memory", "stop leftovers", "ports"]
    assert machine.done == [*checks, *STORES, "history", "train", "dashboard", "roll out"]


def test_what_is_there_is_used(machine: Machine) -> None:
    machine.running = True
    machine.no_history = machine.no_models = False
    up()
    assert machine.done == ["python", "disk", *STORES, "dashboard", "roll out"]


@pytest.mark.parametrize("check", ["python", "disk", "memory", "ports"])
def test_an_unfit_machine_is_refused_before_anything_starts(machine: Machine, check: str) -> None:
    machine.failures[check] = CommandFailed("unfit", "")
    with pytest.raises(CommandFailed, match="unfit"):
        up()
    assert not {"node", "stores"} & set(machine.done)


def test_a_node_that_does_not_start_ends_it_before_training(machine: Machine) -> None:
    machine.failures["node"] = CommandFailed("no node", "")
    with pytest.raises(CommandFailed, match="no node"):
        up()
    assert "train" not in machine.done


def test_a_failed_training_deploys_nothing(machine: Machine) -> None:
    machine.failures["train"] = CommandFailed("no models", "")
    with pytest.raises(CommandFailed, match="no models"):
        up()
    assert "roll out" not in machine.done


def test_the_stores_alone_need_no_node(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/d")
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert bring_up_stores() == {"stores": {"PostgreSQL": "DATABASE_URL", "Redis": "embedded"}}
    assert machine.done == ["python", "disk", *STORES]
