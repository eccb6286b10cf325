"""One row whose votes are all there, on Python's floats.

Most micro-batches are that while there is time, and forty calls of numpy on one number each are a
tenth of what a decision costs the combiner. Sums, products and quotients are the same bits either
way; logarithm and exponential are numpy's own, which are not always those of the C library.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.combine.stack import HIGHEST, LOWEST
from fraud.combine.thresholds import APPROVE, CHALLENGE
from fraud.plan import Thresholds


def mean_alone(scores: Sequence[float], weights: Sequence[float]) -> float:
    """`fraud.combine.average.weighted_mean` of one row, to the bit.

    Args:
        scores: k >= 1 numbers in [0, 1].
        weights: k weights > 0.
    """
    return min(max(_mean(scores, weights), 0.0), 1.0)


def stacked_alone(
    scores: Sequence[float], weights: Sequence[float], intercept: float, whole: float
) -> float:
    """`fraud.combine.stack.stacked` of one row, to the bit; see there.

    Args:
        scores: k >= 1 numbers in [0, 1].
        weights: k weights > 0.
        intercept, whole: b and W.
    """
    inside = [min(max(s, LOWEST), HIGHEST) for s in scores]
    odds_of_votes = np.log(np.array([s / (1.0 - s) for s in inside])).tolist()
    odds = intercept + whole * _mean(odds_of_votes, weights)
    small = float(np.exp(-abs(odds)))
    return (1.0 if odds >= 0 else small) / (1.0 + small)


def outcome_alone(thresholds: Thresholds, probability: float, anomaly: float) -> int:
    """`fraud.combine.thresholds.outcomes` of one row."""
    levels = thresholds.challenge, thresholds.review, thresholds.block
    reached = sum([probability >= level for level in levels])
    strange = thresholds.anomaly_challenge is not None and anomaly >= thresholds.anomaly_challenge
    return CHALLENGE if reached == APPROVE and strange else reached


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    total = weights[0] * values[0]
    weight = weights[0]
    for v, w in zip(values[1:], weights[1:], strict=True):
        total += w * v
        weight += w
    return total / weight
