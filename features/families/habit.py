"""This amount, and the last week, against what a customer usually does and the most it ever did."""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from features.windows import D7, D60
from fraud.batch import Float64


def columns(rows: Rows, customer: History) -> Float64:
    """float64[n, 11]: largest amount of 7 d, 30 d, 60 d; amount / largest of 30 d, 60 d; amount /
    mean of 60 d; (amount - mean) / deviation of 60 d; mean of 7 d / mean of 60 d; largest of 7 d /
    mean of 60 d; daily payments of 7 d / those of 60 d; amount / mean of 60 d without the largest.
    """
    seen, week, long = customer.seen, customer.at(D7), customer.at(D60)
    largest = np.where(seen.largest > 0, seen.largest / 100.0, np.nan)
    usual = customer.mean[:, long]
    block = np.empty((len(rows), 11))
    block[:, 0:3] = largest
    np.divide(rows.units[:, None], largest[:, 1:3], out=block[:, 3:5])
    block[:, 5] = rows.units / usual
    block[:, 6] = (rows.units - usual) / customer.deviation[:, long]
    block[:, 7] = customer.mean[:, week] / usual
    block[:, 8] = largest[:, 0] / usual
    daily = seen.count[:, long] * (D7.span_ms / D60.span_ms)
    block[:, 9] = seen.count[:, week] / daily
    others = seen.count[:, long] - 1
    rest = (seen.total[:, long] - seen.largest[:, 2]) / 100.0
    block[:, 10] = np.where(others > 0, rows.units * others / rest, np.nan)
    return block
