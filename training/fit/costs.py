"""Thresholds of the lowest cost, for operators who know what mistakes cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.costs import Costs
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64


@dataclass(frozen=True, slots=True)
class OutcomeCosts:
    """The cost of each outcome for n payments, in currency units: float64[n] each."""

    approve: Float64
    challenge: Float64
    review: Float64
    block: Float64


def outcome_costs(fraud: Float32, amount: Float64, costs: Costs) -> OutcomeCosts:
    """The cost of every outcome of n labelled payments.

    Args:
        fraud: float32[n], 1 for fraud, else 0.
        amount: float64[n] in currency units.
        costs: where they state none for a challenge, nothing is to be challenged by score: its
            cost is infinite.

    Raises:
        NotTrainable: an amount is unknown.
    """
    if not np.isfinite(amount).all():
        raise NotTrainable(
            "costs: missed_share needs the amount of every payment, and some have none:"
            " use [rates] instead of [costs]"
        )
    bad = fraud.astype(np.float64)
    missed = bad * amount * costs.missed_share
    challenge = np.full(bad.size, np.inf)
    if costs.challenge is not None:
        challenge = costs.challenge + (1 - costs.challenge_stops) * missed
    return OutcomeCosts(
        approve=missed,
        challenge=challenge,
        review=np.full(bad.size, costs.review),
        block=(1 - bad) * costs.false_block,
    )


def cheapest_thresholds(probability: Float64, costs: OutcomeCosts) -> tuple[float, float, float]:
    """Thresholds `challenge <= review <= block` with the lowest total cost of the rows.

    The total splits into three sums over rows in order of probability, one for each threshold.
    The best place of each, given those before it, is a running minimum: O(n log n) in all. Of
    equal totals the highest thresholds win, which interfere least.

    Args:
        probability: float64[n] in [0, 1].
        costs: of the same rows.

    Returns:
        Thresholds in (0, 1], each half way between two neighbouring probabilities.
    """
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    # A threshold can only lie where the probability changes, and at both ends.
    places = np.concatenate([[0], np.flatnonzero(np.diff(ranked)) + 1, [ranked.size]])
    approve, challenge, review, block = (
        np.concatenate([[0.0], np.cumsum(column[order])])[places]
        for column in (costs.approve, costs.challenge, costs.review, costs.block)
    )
    if np.isfinite(challenge).all():
        steps = (approve - challenge, challenge - review, review - block)
        at_challenge, at_review, at_block = _rising(steps)
    else:  # no challenges: that threshold equals the one of review
        at_review, at_block = _rising((approve - review, review - block))
        at_challenge = at_review
    chosen = (at_challenge, at_review, at_block)
    lower, middle, upper = (_between(ranked, int(places[at])) for at in chosen)
    return lower, middle, upper


def _rising(steps: tuple[Float64, ...]) -> tuple[int, ...]:
    """Places i <= j <= ... with the lowest sum steps[0][i] + steps[1][j] + ...; of
    equals the highest."""
    size = steps[0].size
    best = np.zeros(size)
    chosen: list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]] = []
    for step in steps:
        total = best + step
        best = np.minimum.accumulate(total)
        chosen.append(np.maximum.accumulate(np.where(total <= best, np.arange(size), 0)))
    at = size - 1
    places = []
    for best_before in reversed(chosen):
        at = int(best_before[at])
        places.append(at)
    return tuple(reversed(places))


def _between(ranked: Float64, at: int) -> float:
    """A threshold reached by the rows from `at` on and by no row before."""
    if at == 0:
        return float(max(ranked[0] / 2, np.finfo(np.float64).tiny))
    above = 1.0 if at == ranked.size else float(ranked[at])
    return (float(ranked[at - 1]) + above) / 2


def total_cost(
    probability: Float64, thresholds: tuple[float, float, float], costs: OutcomeCosts
) -> float:
    """The cost of n payments under thresholds `challenge <= review <= block`, currency units."""
    challenge, review, block = thresholds
    level = (
        (probability >= challenge).astype(np.int8)
        + (probability >= review)
        + (probability >= block)
    )
    columns = (costs.approve, costs.challenge, costs.review, costs.block)
    return float(sum(column[level == i].sum() for i, column in enumerate(columns)))
