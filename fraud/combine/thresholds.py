"""From a probability and an anomaly score to an outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.ensemble import Thresholds
from fraud.payment.batch import Float64

Int8 = NDArray[np.int8]

APPROVE, CHALLENGE, REVIEW, BLOCK = 0, 1, 2, 3
"""Indices into `fraud.decision.OUTCOMES`."""


def outcomes(thresholds: Thresholds, probability: Float64, anomaly: Float64) -> Int8:
    """Return the outcome of each row: the harshest whose threshold the probability reaches.

    An anomaly score at or above `anomaly_challenge` turns an approval into a challenge, never into
    more: strange is not yet fraudulent. NaN reaches no threshold.

    Args:
        thresholds: the plan's.
        probability: float64[n] in [0, 1].
        anomaly: float64[n] in [0, 1], NaN where unknown.

    Returns:
        int8[n] index into `fraud.decision.OUTCOMES`.

    >>> t = Thresholds(0.1, 0.5, 0.9, anomaly_challenge=0.99)
    >>> outcomes(t, np.array([0.0, 0.0, 0.5, 0.9]), np.array([0.5, 0.99, 1.0, np.nan])).tolist()
    [0, 1, 2, 3]
    """
    reached = (probability >= thresholds.challenge).astype(np.int8)
    reached += probability >= thresholds.review
    reached += probability >= thresholds.block
    if thresholds.anomaly_challenge is not None:
        np.maximum(reached, anomaly >= thresholds.anomaly_challenge, out=reached)
    return reached


def outcome_of_row(thresholds: Thresholds, probability: float, anomaly: float) -> int:
    """Return what `outcomes` returns for one row."""
    levels = thresholds.challenge, thresholds.review, thresholds.block
    reached = sum([probability >= level for level in levels])
    is_anomaly = thresholds.anomaly_challenge is not None and (
        anomaly >= thresholds.anomaly_challenge
    )
    return CHALLENGE if reached == APPROVE and is_anomaly else reached
