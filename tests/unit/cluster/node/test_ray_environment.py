"""Ray's variables reach the node, and the installed Ray reads each of them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from cluster.node.node import Node
from cluster.node.private_ray import VARIABLES
from cluster.node.ray_environment import TUNING, node_variables

SOURCES = (
    "_private/ray_constants.py",
    "_private/authentication/authentication_token_setup.py",
    "_common/usage/usage_constants.py",
    "dashboard/consts.py",
)
"""Python sources of Ray that read variables, Serve's apart."""


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    for name in TUNING:
        monkeypatch.delenv(name, raising=False)
    return Node(Path("/nowhere"), 1, 2, 3, 4, 5)


def test_the_node_has_the_tuning(node: Node) -> None:
    assert TUNING.items() <= node.environment().items()


def test_the_environment_overrides_the_tuning(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_SERVE_CONTROL_LOOP_INTERVAL_S", "0.1")
    assert node.environment()["RAY_SERVE_CONTROL_LOOP_INTERVAL_S"] == "0.1"


def test_the_installed_ray_knows_the_variables() -> None:
    import ray
    from ray.serve._private import constants

    folder = Path(ray.__file__).parent
    serve = Path(constants.__file__).read_text()
    python = "".join((folder / source).read_text() for source in SOURCES)
    core = (folder / "core/src/ray/raylet/raylet").read_bytes()
    tuned = node_variables(Path("/f"), Path("/e"), address="a", fallback_port=1)
    for name in (*VARIABLES, *TUNING, *tuned):
        if name.startswith("RAY_SERVE_"):
            assert f'"{name}"' in serve, name
        elif name.removeprefix("RAY_").islower():  # an entry of the core's own configuration
            assert name.removeprefix("RAY_").encode() in core, name
        else:
            assert name in python, name


def test_the_installed_ray_knows_the_options_of_its_start(node: Node) -> None:
    from ray.scripts.scripts import start

    known = {option for parameter in start.params for option in parameter.opts}
    given = {part.partition("=")[0] for part in node._command() if part.startswith("--")}
    assert given <= known


def test_the_modules_it_names_can_be_imported() -> None:
    import_module(TUNING["RAY_preload_python_modules"])
    module, _, function = TUNING["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"].partition(":")
    assert callable(getattr(import_module(module), function))
