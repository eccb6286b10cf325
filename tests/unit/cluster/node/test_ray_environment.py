"""What Ray is tuned by reaches the node, and names what is there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from cluster.node.node import Node
from cluster.node.ray_environment import TUNING


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    for name in TUNING:
        monkeypatch.delenv(name, raising=False)
    return Node(Path("/nowhere"), 1, 2, 3, 4)


def test_the_node_carries_it(node: Node) -> None:
    assert TUNING.items() <= node.environment().items()


def test_whoever_sets_a_variable_is_heeded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_SERVE_CONTROL_LOOP_INTERVAL_S", "0.1")
    assert node.environment()["RAY_SERVE_CONTROL_LOOP_INTERVAL_S"] == "0.1"


def test_the_variables_are_those_of_the_installed_ray() -> None:
    from ray.serve._private import constants

    source = Path(constants.__file__).read_text()
    for name in TUNING:
        if name.startswith("RAY_SERVE_"):
            assert f'"{name}"' in source, name


def test_what_it_names_can_be_imported() -> None:
    import_module(TUNING["RAY_preload_python_modules"])
    module, _, function = TUNING["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"].partition(":")
    assert callable(getattr(import_module(module), function))
