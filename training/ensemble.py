"""The plan: weights, calibration and thresholds, fitted on the validation part."""

from __future__ import annotations

from itertools import product

import numpy as np
from sklearn.metrics import average_precision_score

from fraud.batch import Float32, Float64
from fraud.combine.average import weighted_mean
from fraud.combine.calibrate import Calibration
from fraud.errors import NotTrainable
from fraud.plan import Member, Plan, Thresholds
from training.calibrate import probability_knots
from training.config import RateConfig

PLAN_NAME = "default"
_GRID = 10
"""Weights are multiples of 1/10, each at least one of them: whoever votes has a say, so that the
loss of any one model leaves a quorum."""


def fit_plan(
    votes: dict[str, Float64],
    anomaly: tuple[str, Float64] | None,
    fraud: Float32,
    rates: RateConfig,
    deadline_ms: int,
) -> Plan:
    """Fit a plan.

    Args:
        votes: supervised variant -> float64[n] calibrated scores of the validation rows.
        anomaly: the anomaly variant and its float64[n] scores, None for none.
        fraud: float32[n], 1 fraud and 0 not.

    Returns:
        A plan of version 1; the registry gives it the version that is due.
    """
    weights = fit_weights(votes, fraud)
    mean = weighted_mean(list(votes.values()), list(weights.values()), len(fraud))
    knots = probability_knots(mean, fraud)
    probability = Calibration(knots)(mean)
    return Plan(
        name=PLAN_NAME,
        version=1,
        kind="ensemble",
        members=tuple(Member(name, weight) for name, weight in weights.items()),
        thresholds=fit_thresholds(probability, anomaly[1] if anomaly else None, rates),
        anomaly=anomaly[0] if anomaly else None,
        deadline_ms=deadline_ms,
        calibration=knots,
    )


def ensemble_probability(plan: Plan, votes: dict[str, Float64]) -> Float64:
    """Probabilities float64[n] that the plan makes of calibrated votes, as serving does."""
    scores = [votes[m.variant] for m in plan.members]
    mean = weighted_mean(scores, [m.weight for m in plan.members], len(scores[0]))
    return Calibration(plan.calibration)(mean)


def fit_weights(votes: dict[str, Float64], fraud: Float32) -> dict[str, float]:
    """The grid point of the simplex with the best average precision; of equals, the evenest."""
    names = list(votes)
    scores = np.stack([votes[name] for name in names])
    best: tuple[float, float] | None = None
    chosen: tuple[int, ...] = ()
    for parts in product(range(1, _GRID + 1), repeat=len(names)):
        if sum(parts) != _GRID:
            continue
        precision = float(average_precision_score(fraud, np.array(parts) @ scores))
        merit = (round(precision, 6), -float(np.var(parts)))
        if best is None or merit > best:
            best, chosen = merit, parts
    return {name: part / _GRID for name, part in zip(names, chosen, strict=True)}


def fit_thresholds(probability: Float64, anomaly: Float64 | None, rates: RateConfig) -> Thresholds:
    """Thresholds that at most the stated shares of `probability` float64[n] reach.

    Raises:
        NotTrainable: scores so equal that no threshold below one keeps to the rates.
    """
    challenge, review, block = (
        _reached_by(probability, share) for share in (rates.challenge, rates.review, rates.block)
    )
    return Thresholds(
        challenge=challenge,
        review=review,
        block=block,
        anomaly_challenge=None
        if anomaly is None
        else _reached_by(anomaly, rates.anomaly_challenge),
    )


def _reached_by(scores: Float64, share: float) -> float:
    """Half way between the last score inside the share and the next one below it."""
    levels, counts = np.unique(scores, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    inside = np.flatnonzero(reached <= max(1.0, share * scores.size))
    if not inside.size or levels.size < 2:
        raise NotTrainable(
            f"more than {share:.2%} of validation payments share the highest score:"
            " no threshold keeps to that review rate; load more history"
        )
    at = int(inside[0])
    return float((levels[at] + levels[at - 1]) / 2)
