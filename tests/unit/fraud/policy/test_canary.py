"""A canary's share, step by step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from fraud.policy.canary import Canary
from tests.contracts.decisions import transactions
from tests.contracts.plans import Asked, leaf

CANARY = Canary(leaf("old"), leaf("new"), salt="x")
SCORES = {"old": [0.1] * 2000, "new": [0.1] * 2000}


def on_canary(step):
    return set(
        Asked(replace(CANARY, step=step), transactions(2000), SCORES).groups.get("canary", [])
    )


def test_who_is_on_the_canary_stays_on_it_while_it_grows():
    steps = [on_canary(step) for step in range(5)]
    for smaller, larger in pairwise(steps):
        assert smaller < larger
    assert [round(len(rows) / 20) for rows in steps][-1] == 100
    assert abs(len(steps[2]) / 20 - 25) < 3


def test_a_stopped_canary_gets_nobody():
    assert on_canary(None) == set()
    assert [
        name for name, _ in Asked(replace(CANARY, step=None), transactions(3), SCORES).calls
    ] == ["old"]
