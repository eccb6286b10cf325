"""Thresholds of a plan: by the shares of payments that reach them, or by cost."""

from __future__ import annotations

import numpy as np

from fraud.ensemble import Thresholds
from fraud.errors import NotTrainable
from fraud.payment.batch import Float64
from training.config import RateConfig, TrainConfig
from training.fit.costs import cheapest_thresholds, outcome_costs
from training.fit.labelled_votes import LabelledVotes


def thresholds_on(probability: Float64, on: LabelledVotes, config: TrainConfig) -> Thresholds:
    """Thresholds as configured: of the lowest cost where there are costs, else of the rates.

    Args:
        probability: float64[n] of the rows `on`.

    Raises:
        NotTrainable: see `fit_thresholds` and `outcome_costs`.
    """
    if config.costs is None:
        return fit_thresholds(probability, on.anomaly, config.rates)
    challenge, review, block = cheapest_thresholds(
        probability, outcome_costs(on.fraud, on.amount, config.costs.costs)
    )
    return Thresholds(challenge, review, block, _anomaly_threshold(on.anomaly, config.rates))


def fit_thresholds(probability: Float64, anomaly: Float64 | None, rates: RateConfig) -> Thresholds:
    """Thresholds that at most the configured shares of `probability` float64[n] reach.

    Raises:
        NotTrainable: too many scores are equal for any threshold below one to keep the rates.
    """
    challenge, review = (
        _reached_by(probability, share) for share in (rates.challenge, rates.review)
    )
    block = _reached_by(probability, rates.block, allow_none=True)
    return Thresholds(challenge, review, block, _anomaly_threshold(anomaly, rates))


def _anomaly_threshold(anomaly: Float64 | None, rates: RateConfig) -> float | None:
    if anomaly is None:
        return None
    return _reached_by(anomaly, rates.anomaly_challenge, allow_none=True)


def _reached_by(scores: Float64, share: float, allow_none: bool = False) -> float:
    """Half way between the last score inside the share and the next one below it. In a short slice
    more rows than the share may have the highest score: `allow_none` then keeps the rate with a
    threshold between that score and 1."""
    levels, counts = np.unique(scores, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    inside = np.flatnonzero(reached <= max(1.0, share * scores.size))
    if not inside.size and allow_none and levels.size > 1 and levels[-1] < 1:
        return float((levels[-1] + 1) / 2)
    if not inside.size or levels.size < 2:
        raise NotTrainable(
            f"more than {share:.2%} of calibration payments share the highest score:"
            " no threshold keeps that review rate; load more history, or combine votes by a method"
            " with finer scores"
        )
    at = int(inside[0])
    return float((levels[at] + levels[at - 1]) / 2)
