"""This amount, and the pace of payments, against an entity's own history."""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from features.windows import D30, DAY_MS, H24
from fraud.batch import Float64


def columns(rows: Rows, history: History) -> Float64:
    """float64[n, 3]: amount / mean of 30 d; (amount - mean) / deviation of 30 d; payments of 24 h /
    daily mean of 30 d."""
    month, day = history.at(D30), history.at(H24)
    mean = history.mean[:, month]
    count = history.seen.count
    block = np.empty((len(rows), 3))
    block[:, 0] = rows.units / mean
    block[:, 1] = (rows.units - mean) / history.deviation[:, month]
    block[:, 2] = count[:, day] / (count[:, month] / (D30.span_ms / DAY_MS))
    return block
