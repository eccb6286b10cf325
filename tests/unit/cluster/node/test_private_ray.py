"""Importing the module decides who may be a client of Ray, unless the environment has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cluster.node.private_ray import VARIABLES

SHOW = "import os; import cluster.node.private_ray; print(*[os.environ[n] for n in {names}])"


def after_import(**environment: str) -> list[str]:
    """Return the variables of a new process, which starts with `environment`."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    done = subprocess.run(
        # -S: without the site packages' quorum.pth, which imports the module as well
        [sys.executable, "-S", "-c", SHOW.format(names=list(VARIABLES))],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_process_that_sets_nothing_gets_the_private_values() -> None:
    assert after_import() == list(VARIABLES.values())


@pytest.mark.parametrize("name", list(VARIABLES))
def test_the_environment_comes_first(name: str) -> None:
    values = dict(zip(VARIABLES, after_import(**{name: "mine"}), strict=True))
    assert values == {**VARIABLES, name: "mine"}
