"""What to do with a side: promote it, hold what there is, or not yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from experiments.maturity import DAY_MS, Maturity, Waiting
from experiments.sides import Pair
from experiments.statistics.confidence_sequence import LEVEL
from experiments.statistics.differences import Difference
from experiments.statistics.losses import BRIER, COST, FRAUDS_STOPPED, INTERRUPTED

MIN_FRAUDS: Final = 20
"""Fewer known frauds on either side say nothing."""

SMALL_SHARE: Final = 0.01
"""A difference below this share of what it is measured against is not worth a change."""

_GUARDS = (FRAUDS_STOPPED.name, INTERRUPTED.name)
"""What must not become worse, where no cost says what it is worth."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do.

    Attributes:
        decision: `promote`: it is better; `hold`: it is worse, or as good; `not yet`: nobody can
            tell.
        reason: why, in one sentence.
    """

    decision: Literal["promote", "hold", "not yet"]
    reason: str


def recommend(
    pair: Pair,
    side: Maturity,
    against: Maturity,
    waiting: Waiting,
    differences: Sequence[Difference],
) -> Recommendation:
    """Return what to do with a side.

    One measure decides: the cost a payment if the plan has costs, else the Brier score of the
    probability. Its confidence sequence may be looked at as often as one likes, so that the
    first look at which it excludes 0 may decide. Without costs a side that is better there is still
    held if it stops fewer frauds, or interrupts more genuine payments, beyond doubt.
    """
    if missing := _too_early(side, against, waiting):
        return Recommendation("not yet", missing)
    found = {difference.measure.name: difference for difference in differences}
    main = found.get(COST.name) or found[BRIER.name]
    name = _titled(pair)
    if main.verdict == "better":
        worse = next((found[g] for g in _GUARDS if _is_worse(found.get(g))), None)
        if worse is None or main.measure is COST:
            return Recommendation("promote", f"{name} has a better {_shown(main)}.")
        return Recommendation(
            "hold", f"{name} has a better {main.measure.title}, but a worse {_shown(worse)}."
        )
    if main.verdict == "worse":
        return Recommendation("hold", f"{name} has a worse {_shown(main)}.")
    if main.low is None or main.high is None:
        return Recommendation(
            "not yet", f"Too few payments tell the two apart by {main.measure.title}."
        )
    if main.against and max(-main.low, main.high) < SMALL_SHARE * abs(main.against):
        return Recommendation(
            "hold", f"{name} is as good: the {main.measure.title} differs by less than 1 %."
        )
    return Recommendation(
        "not yet",
        f"It is too early to tell. So far the {main.measure.title} is {_both(main)}; the true"
        f" difference may be anything from {_number(main, -main.low)} lower to"
        f" {_number(main, main.high)} higher.",
    )


def _too_early(side: Maturity, against: Maturity, waiting: Waiting) -> str | None:
    decisions = min(side.decisions, against.decisions)
    if not decisions:
        return "It has decided nothing that can be compared."
    if not min(side.old_enough, against.old_enough):
        days = waiting.ms / DAY_MS
        age = f"{days:.0f} days" if days >= 1 else f"{days * 24:.1f} hours"
        return f"No payment of it is older than {age} yet, the time that labels take."
    if not min(side.counted, against.counted):
        return "No payment of it that is old enough has a label yet."
    frauds = min(side.frauds, against.frauds)
    if frauds < MIN_FRAUDS:
        known = "fraud is" if frauds == 1 else "frauds are"
        return f"Only {frauds} {known} known among its payments; {MIN_FRAUDS} are needed."
    return None


def _is_worse(difference: Difference | None) -> bool:
    return difference is not None and difference.verdict == "worse"


def _titled(pair: Pair) -> str:
    name = str(pair.side)
    return f"{name[0].upper()}{name[1:]}"


def _shown(d: Difference) -> str:
    """The measure of both sides, and how far they are apart, of a difference beyond doubt."""
    assert d.low is not None
    assert d.high is not None
    moved = "higher" if d.low > 0 else "lower"
    least, most = sorted((abs(d.low), abs(d.high)))
    apart = f"{_number(d, least)} to {_number(d, most)} with {LEVEL * 100:.0f} % confidence"
    return f"{d.measure.title}: {_both(d)}, {moved} by {apart}"


def _both(d: Difference) -> str:
    assert d.side is not None
    assert d.against is not None
    return f"{_number(d, d.side)} instead of {_number(d, d.against)}"


def _number(d: Difference, value: float) -> str:
    return f"{value:.{d.measure.digits}f}"
