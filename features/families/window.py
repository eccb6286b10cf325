"""Counts, amounts and distinct partners of an entity over each of its windows."""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from fraud.batch import Float64


def columns(rows: Rows, history: History) -> Float64:
    """float64[n, n_windows * (4 + n_tables)]: for each window count, sum, mean and deviation of
    amounts in currency units, and distinct partners of each table."""
    seen = history.seen
    block = np.empty((*seen.count.shape, 4 + len(seen.distinct)))
    block[:, :, 0] = seen.count
    np.divide(seen.total, 100.0, out=block[:, :, 1])
    block[:, :, 2] = history.mean
    block[:, :, 3] = history.deviation
    for i, distinct in enumerate(seen.distinct.values()):
        block[:, :, 4 + i] = distinct
    return block.reshape(len(rows), -1)
