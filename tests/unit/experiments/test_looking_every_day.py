"""Whole reports, looked at again and again: what they recommend without and with a difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from experiments.reading.reader import Found, Wanted
from experiments.report import report
from experiments.sides import Side
from experiments.statistics import bootstrap
from tests.contracts.experiment import START
from tests.contracts.experiment_found import found_of

LOOKS = 20
SIDES = (Side("shadow", "candidate"), Side("arm", "new"))


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bootstrap decides nothing, and takes most of the time."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 2)


def first_decisions(found: Found) -> dict[Side, str]:
    """What each side is recommended at the first look that recommends anything but to wait."""
    first: dict[Side, str] = {}
    for look in range(1, LOOKS + 1):
        until = START + timedelta(days=12 + 4 * look)
        seen = found.rows.take(found.rows.decided_ms < int(until.timestamp() * 1000))
        wanted = Wanted("acme", "default", START, until)
        made = report(replace(found, rows=seen), wanted)
        for side in SIDES:
            comparison = made.comparison(side)
            assert comparison is not None
            decision = comparison.recommendation.decision
            if decision != "not yet":
                first.setdefault(side, decision)
    return first


def without_costs(found: Found) -> Found:
    return replace(found, plans=tuple(replace(plan, costs=None) for plan in found.plans))


@pytest.mark.slow
@pytest.mark.parametrize("costs", [True, False])
def test_sides_of_the_same_skill_are_left_alone(costs: bool) -> None:
    wrong = dict.fromkeys(SIDES, 0)
    worlds = 12
    for seed in range(worlds):
        found = found_of(3_000, seed=seed, skill=1.6, live=1.6)
        for side in first_decisions(found if costs else without_costs(found)):
            wrong[side] += 1
    assert max(wrong.values()) <= 1


@pytest.mark.slow
def test_a_better_side_is_promoted_before_the_end() -> None:
    worlds, promoted = 5, dict.fromkeys(SIDES, 0)
    for seed in range(worlds):
        for side, decision in first_decisions(found_of(12_000, seed=seed)).items():
            assert decision == "promote"
            promoted[side] += 1
    assert promoted[SIDES[0]] == worlds
    assert promoted[SIDES[1]] >= 1


def test_better_probabilities_at_the_cost_of_customers_are_held() -> None:
    """Without costs nothing says what an interrupted customer is worth."""
    found = without_costs(found_of(12_000, seed=0))
    wanted = Wanted("acme", "default", START, START + timedelta(days=92))
    comparison = report(found, wanted).comparison(SIDES[0])
    assert comparison is not None
    assert comparison.recommendation.decision == "hold"
    assert "but a worse share of genuine payments interrupted" in comparison.recommendation.reason
