"""A machine becomes ready for a Ray that another program starts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.membership import prepare as module
from cluster.membership.prepare import prepared_environment
from cluster.node.node import MARK, Node
from settings.settings import Settings


class Checks:
    """The checks, and those that were made."""

    def __init__(self) -> None:
        self.registered_as: str | None = "c1"
        self.failing = ""
        self.done: list[str] = []

    def do(self, what: str) -> None:
        self.done.append(what)
        if what == self.failing:
            raise CommandFailed(f"{what} is unfit", "")

    def require_shared(self, _: Any) -> None:
        self.do("settings")

    def check_machine(self, _: Any) -> bool:
        self.do("machine")
        return False

    async def registered(self, _: Any) -> Any:
        return self.registered_as and SimpleNamespace(cluster_id=self.registered_as)

    async def require_same_stores(self, _: Any, cluster_id: str) -> None:
        self.do(f"stores of {cluster_id}")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks = Checks()
    for name in ("require_shared", "check_machine", "registered", "require_same_stores"):
        monkeypatch.setattr(module, name, getattr(checks, name))
    # It makes folders in /tmp that other tests may use.
    monkeypatch.setattr(Node, "prepare", lambda _: checks.do("files"))
    return checks


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", host="10.0.0.5", head="10.0.0.1")


def test_it_checks_everything_before_it_writes_files(checks: Checks, settings: Settings) -> None:
    environment = prepared_environment(settings)
    assert checks.done == ["settings", "machine", "stores of c1", "files"]
    assert environment == Node.of(settings).environment()
    assert environment["QUORUM_HOST"] == "10.0.0.5"
    assert environment["RAY_ADDRESS"] == environment["QUORUM_HEAD"] == "10.0.0.1:6379"
    assert environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "1"
    assert MARK in environment


def test_the_environment_keeps_that_of_the_container(
    checks: Checks, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT_BY_PREPARE", "yes")
    assert prepared_environment(settings)["KEPT_BY_PREPARE"] == "yes"


def test_before_the_first_head_there_is_nothing_to_compare_with(
    checks: Checks, settings: Settings
) -> None:
    checks.registered_as = None
    prepared_environment(settings)
    assert checks.done == ["settings", "machine", "files"]


@pytest.mark.parametrize("what", ["settings", "machine", "stores of c1"])
def test_an_unfit_machine_gets_no_files(checks: Checks, settings: Settings, what: str) -> None:
    checks.failing = what
    with pytest.raises(CommandFailed, match="is unfit"):
        prepared_environment(settings)
    assert checks.done[-1] == what
