"""Promote, hold or not yet, with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.maturity import DAY_MS, Maturity, Waiting
from experiments.reading.reader import LabelDelay
from experiments.recommendation import recommend
from experiments.sides import PLAN, Pair, Side
from experiments.statistics.differences import Difference
from experiments.statistics.losses import BRIER, COST, FRAUDS_STOPPED, INTERRUPTED, Measure

PAIR = Pair(Side("shadow", "candidate"), PLAN, True)
WAITING = Waiting(12 * DAY_MS, "measured", LabelDelay(DAY_MS, 12 * DAY_MS, 50))
ENOUGH = Maturity(9_000, 8_000, 7_000, 7_000, 100)


def moved(
    measure: Measure, low: float | None, high: float | None, against: float = 1.0
) -> Difference:
    middle = None if low is None or high is None else (low + high) / 2
    return Difference(measure, against + (middle or 0), against, middle, low, high, "asymptotic")


def decided(*differences: Difference, side: Maturity = ENOUGH) -> tuple[str, str]:
    found = recommend(PAIR, side, ENOUGH, WAITING, differences)
    return found.decision, found.reason


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (Maturity(0, 0, 0, 0, 0), "It has decided nothing that can be compared."),
        (
            Maturity(10, 0, 0, 0, 0),
            "No payment of it is older than 12 days yet, the time that labels take.",
        ),
        (Maturity(10, 5, 0, 0, 0), "No payment of it that is old enough has a label yet."),
        (
            Maturity(10, 5, 5, 5, 1),
            "Only 1 fraud is known among its payments; 20 are needed.",
        ),
    ],
)
def test_too_early(side: Maturity, reason: str) -> None:
    assert decided(moved(BRIER, -0.2, -0.1), side=side) == ("not yet", reason)


def test_better_is_promoted() -> None:
    assert decided(moved(BRIER, -0.2, -0.1)) == (
        "promote",
        "Shadow candidate has a better Brier score: 0.850000 instead of 1.000000, lower by 0.100000"
        " to 0.200000 with 95 % confidence.",
    )


def test_worse_is_held() -> None:
    decision, reason = decided(moved(BRIER, 0.1, 0.2))
    assert decision == "hold"
    assert "worse Brier score" in reason


def test_better_probabilities_do_not_excuse_fewer_frauds_stopped() -> None:
    better, worse = moved(BRIER, -0.2, -0.1), moved(FRAUDS_STOPPED, -0.2, -0.1)
    decision, reason = decided(better, worse)
    assert decision == "hold"
    assert "but a worse share of frauds stopped" in reason
    assert "0.8500 instead of 1.0000, lower by 0.1000 to 0.2000" in reason
    assert decided(better, moved(INTERRUPTED, 0.1, 0.2))[0] == "hold"
    assert decided(better, moved(FRAUDS_STOPPED, -0.2, 0.1))[0] == "promote"


def test_with_costs_the_cost_alone_decides() -> None:
    cheaper = moved(COST, -2, -1)
    assert (
        decided(moved(BRIER, 0.1, 0.2), moved(FRAUDS_STOPPED, -0.2, -0.1), cheaper)[0] == "promote"
    )
    assert decided(moved(BRIER, -0.2, -0.1), moved(COST, 1, 2))[0] == "hold"


def test_open_is_not_yet_and_as_good_is_held() -> None:
    assert decided(moved(BRIER, -0.1, 0.2)) == (
        "not yet",
        "It is too early to tell. So far the Brier score is 1.050000 instead of 1.000000; the true"
        " difference may be anything from 0.100000 lower to 0.200000 higher.",
    )
    decision, reason = decided(moved(BRIER, -0.009, 0.009))
    assert (decision, reason) == (
        "hold",
        "Shadow candidate is as good: the Brier score differs by less than 1 %.",
    )
    assert decided(moved(BRIER, -0.009, 0.009, against=0.5))[0] == "not yet"


def test_without_an_interval_nobody_can_tell() -> None:
    decision, reason = decided(moved(COST, None, None), moved(BRIER, -0.2, -0.1))
    assert (decision, reason) == (
        "not yet",
        "Too few payments tell the two apart by cost a payment.",
    )


def test_an_hour_is_said_in_hours() -> None:
    early = replace(WAITING, ms=3 * 3_600_000)
    found = recommend(PAIR, Maturity(5, 0, 0, 0, 0), ENOUGH, early, ())
    assert "3.0 hours" in found.reason
