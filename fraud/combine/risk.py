"""The risk score: a whole number to rank decisions by, in bands that follow the plan's thresholds.

Each outcome has a quarter of the scale: `approve` 0-24, `challenge` 25-49, `review` 50-74, `block`
75-99. Within its quarter a score grows with the probability, in a straight line from where the
outcome begins to where the next one does. So score, level and outcome never contradict each other.

Where the probability alone would have led to another outcome, the score is the nearest end of the
quarter: a payment that is challenged for its anomaly score has 25.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.combine.thresholds import BLOCK, Int8
from fraud.ensemble import Thresholds
from fraud.payment.batch import Float64

BAND = 25
"""Number of scores of one outcome: outcome i has `BAND * i .. BAND * (i + 1) - 1`."""
HIGHEST = BAND * (BLOCK + 1) - 1
_FEW = 24
"""Up to this many rows a list is faster than numpy's calls."""


def risk_scores(thresholds: Thresholds, probability: Float64, outcome: Int8) -> list[int]:
    """Return the risk scores of n rows.

    Args:
        thresholds: the plan's.
        probability: float64[n] in [0, 1]; NaN, where no member voted, gives the lowest score.
        outcome: int8[n], index into `fraud.decision.OUTCOMES`.

    Returns:
        n integers 0-99.

    >>> t = Thresholds(0.1, 0.5, 0.9, anomaly_challenge=0.99)
    >>> risk_scores(t, np.array([0.0, 0.05, 0.1, 0.5, 0.95, 1.0]), np.array([0, 0, 1, 2, 3, 3]))
    [0, 12, 25, 50, 87, 99]
    >>> risk_scores(t, np.array([0.01, 0.95]), np.array([1, 2]))
    [25, 74]
    """
    edges = _edges(thresholds)
    if len(probability) > _FEW:
        return _scores(edges, probability, outcome)
    pairs = zip(probability.tolist(), outcome.tolist(), strict=True)
    return [_score(edges, p, level) for p, level in pairs]


def bands(thresholds: Thresholds) -> list[tuple[float, float, int, int]]:
    """Return (lowest probability, upper bound, lowest score, highest score) of each outcome,
    mildest first. The upper bound is exclusive, that of `block` inclusive. Any other outcome whose
    bounds are equal never occurs."""
    edges = _edges(thresholds)
    return [(edges[i], edges[i + 1], BAND * i, BAND * (i + 1) - 1) for i in range(BLOCK + 1)]


def _edges(t: Thresholds) -> tuple[float, ...]:
    return 0.0, t.challenge, t.review, t.block, 1.0


def _scores(edges: Sequence[float], probability: Float64, outcome: Int8) -> list[int]:
    """The same as `_score`, for n rows."""
    low, high = np.array(edges[:-1]).take(outcome), np.array(edges[1:]).take(outcome)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = BAND * (probability - low) / (high - low)
    within[probability >= high] = BAND
    within[~(probability > low)] = 0
    within[(outcome == BLOCK) & (probability >= 1.0)] = BAND
    found: list[int] = (np.minimum(within, BAND - 1).astype(np.int64) + BAND * outcome).tolist()
    return found


def _score(edges: Sequence[float], p: float, level: int) -> int:
    low, high = edges[level], edges[level + 1]
    if not p > low:  # also NaN
        # Where block begins at 1, a probability of 1 is the highest.
        return HIGHEST if level == BLOCK and p >= 1.0 else BAND * level
    if p >= high:
        return BAND * level + BAND - 1
    # Rounding may reach the next quarter.
    return BAND * level + min(BAND - 1, int(BAND * (p - low) / (high - low)))
