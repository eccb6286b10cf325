"""Amounts just under the reporting threshold: now, and in an entity's history."""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from features.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from features.windows import D30
from fraud.batch import Float64


def request(rows: Rows) -> Float64:
    """float64[n, 1]: whether the amount lies just under the threshold."""
    near = (rows.hundredths >= BAND_START_HUNDREDTHS) & (rows.hundredths < THRESHOLD_HUNDREDTHS)
    return near.astype(np.float64)[:, None]


def counts(rows: Rows, history: History) -> Float64:
    """float64[n, 2]: payments just under the threshold in 7 d and in 30 d."""
    return history.seen.near.astype(np.float64)


def share(rows: Rows, history: History) -> Float64:
    """float64[n, 1]: their share of all payments of 30 d; NaN without any."""
    seen = history.seen
    return (seen.near[:, 1] / seen.count[:, history.at(D30)])[:, None]
