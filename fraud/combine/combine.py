"""From votes to a decision: deterministic, so that a record can be recomputed years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fraud.combine.calibrate import Calibration
from fraud.combine.thresholds import REVIEW, Int8, outcome_of_row, outcomes
from fraud.decision import Vote
from fraud.methods.mean import has_gaps
from fraud.payment.batch import Float64
from fraud.plan import Plan

RULES_ONLY = "rules_only"
"""Degraded reason: no supervised variant answered for some row, so rules decided it."""


@dataclass(frozen=True, slots=True)
class Combined:
    """The combined votes on n rows.

    Attributes:
        probability: float64[n] in [0, 1]; NaN where no member voted and no rules were given.
        anomaly: float64[n] in [0, 1]; NaN where the anomaly variant did not answer.
        outcome: int8[n], index into `fraud.decision.OUTCOMES`.
        degraded: for each row what the plan asks for and did not get, in the plan's order, () if
            it got everything: `variant_<status>:<name>`, `variant_partial:<name>` (the variant
            answered without a number for this row), `rules_only`.
    """

    probability: Float64
    anomaly: Float64
    outcome: Int8
    degraded: list[tuple[str, ...]]


def combine(plan: Plan, votes: Sequence[Vote], n: int, rules: Float64 | None = None) -> Combined:
    """Combine the votes of n rows under a plan. The order of `votes` does not matter.

    Args:
        plan: weights, calibration and thresholds.
        votes: at most one of each variant, `scores` float64[n] if `ok`; those of variants that
            the plan does not name are ignored.
        n: number of rows.
        rules: float64[n]: probabilities for rows on which no supervised variant voted, see
            `FiredRules`. Such a row is sent to review at most, never blocked. Without rules it has
            probability NaN and is approved unless its anomaly score says otherwise. Either way it
            is degraded by `rules_only`.
    """
    by_name = {vote.variant: vote for vote in votes}
    if n == 1:
        combined = _combine_row(plan, by_name)
        if combined is not None:
            return combined
    cast = [(m.variant, by_name.get(m.variant)) for m in plan.members]
    answered = {name: v.scores for name, v in cast if v is not None and v.scores is not None}
    probability = probability_of(plan, answered, n)
    anomaly = _anomaly(plan, by_name, n)
    unvoted = np.isnan(probability) if has_gaps(probability) else None
    degraded = _degraded(plan, by_name, unvoted, n)

    if unvoted is None:
        outcome = outcomes(plan.thresholds, probability, anomaly)
        return Combined(probability, anomaly, outcome, degraded)
    if rules is not None:
        probability = np.where(unvoted, rules, probability)
    outcome = outcomes(plan.thresholds, probability, anomaly)
    outcome = np.where(unvoted, np.minimum(outcome, REVIEW), outcome).astype(np.int8)
    return Combined(probability, anomaly, outcome, degraded)


def probability_of(plan: Plan, scores: Mapping[str, Float64], n: int) -> Float64:
    """Combine the members' scores by the plan's method and calibrate the result.

    Args:
        scores: variant -> float64[n] in [0, 1], NaN where it has none. Members that did not
            answer are absent.
        n: number of rows.

    Returns:
        float64[n] in [0, 1]; NaN where no member voted.
    """
    cast = [m for m in plan.members if m.variant in scores]
    weights, votes = [m.weight for m in cast], [scores[m.variant] for m in cast]
    derived = _derived(plan)
    return derived.calibration(plan.method.combine(votes, weights, derived.total_weight, n))


def needs_rules(plan: Plan, votes: Sequence[Vote], n: int) -> bool:
    """Return whether a row has no supervised vote, so that `combine` needs rules."""
    members = {m.variant for m in plan.members}
    cast = [v.scores for v in votes if v.scores is not None and v.variant in members]
    if any(not has_gaps(scores) for scores in cast):
        return False
    unvoted = np.ones(n, dtype=bool)
    for scores in cast:
        unvoted &= np.isnan(scores)
    return bool(unvoted.any())


def _combine_row(plan: Plan, by_name: Mapping[str, Vote]) -> Combined | None:
    """Combine the votes on a single row; None if one is missing."""
    scores = []
    derived = _derived(plan)
    for name in derived.variants:
        vote = by_name.get(name)
        if vote is None or vote.scores is None:
            return None
        score = vote.scores.item()
        if score != score:
            return None
        scores.append(score)
    anomaly = np.nan if plan.anomaly is None else scores.pop()
    combined = plan.method.combine_row(scores, derived.weights)
    probability = derived.calibration(np.array([combined]))
    outcome = outcome_of_row(plan.thresholds, probability.item(), anomaly)
    return Combined(probability, np.array([anomaly]), np.array([outcome], dtype=np.int8), [()])


@dataclass(frozen=True, slots=True)
class _Derived:
    """Values that a plan determines, computed once."""

    variants: tuple[str, ...]
    weights: tuple[float, ...]
    total_weight: float
    calibration: Calibration


@lru_cache(maxsize=64)
def _derived(plan: Plan) -> _Derived:
    weights = tuple(m.weight for m in plan.members)
    return _Derived(plan.variants, weights, sum(weights), Calibration(plan.calibration))


def _anomaly(plan: Plan, by_name: dict[str, Vote], n: int) -> Float64:
    vote = None if plan.anomaly is None else by_name.get(plan.anomaly)
    if vote is None or vote.scores is None:
        return np.full(n, np.nan)
    return vote.scores


def _degraded(
    plan: Plan, by_name: dict[str, Vote], unvoted: NDArray[np.bool_] | None, n: int
) -> list[tuple[str, ...]]:
    """`Combined.degraded`. Rows that lack the same share a tuple."""
    missing: list[tuple[str, NDArray[np.bool_] | None]] = []  # None: for all rows
    for name in _derived(plan).variants:
        vote = by_name.get(name)
        if vote is None:
            missing.append((f"variant_missing:{name}", None))
        elif vote.scores is None:
            missing.append((f"variant_{vote.status}:{name}", None))
        elif has_gaps(vote.scores):
            missing.append((f"variant_partial:{name}", np.isnan(vote.scores)))
    if unvoted is not None:
        missing.append((RULES_ONLY, unvoted))
    if all(rows is None for _, rows in missing):
        return [tuple(reason for reason, _ in missing)] * n
    every = np.ones(n, dtype=bool)
    of_rows = np.stack([every if rows is None else rows for _, rows in missing], axis=1)
    known: dict[bytes, tuple[str, ...]] = {}
    for which in of_rows:
        if which.tobytes() not in known:
            held = zip(missing, which, strict=True)
            known[which.tobytes()] = tuple(reason for (reason, _), holds in held if holds)
    return [known[which.tobytes()] for which in of_rows]
