"""This amount, and the last week, against the usual and the largest amounts of a customer."""

from __future__ import annotations

import numpy as np

from features.families.view import LONG, WEEK, Views
from features.state.compiled import Compiled
from features.state.windows import D7, D60
from fraud.payment.batch import Float32

_WEEKS = D7.span_ms / D60.span_ms


@Compiled
def columns(values: Float32, start: int, views: Views) -> None:
    """11 columns: largest amount of 7 d, 30 d, 60 d; amount / largest of 30 d, 60 d; amount / mean
    of 60 d; (amount - mean) / deviation of 60 d; mean of 7 d / mean of 60 d; largest of 7 d / mean
    of 60 d; daily payments of 7 d / those of 60 d; amount / mean of 60 d without the largest."""
    largest = np.empty(3)
    for view in views:
        out = values[view.row, start:]
        for w in range(3):
            largest[w] = view.largest[w] / 100.0 if view.largest[w] > 0 else np.nan
            out[w] = largest[w]
        out[3] = view.units / largest[1]
        out[4] = view.units / largest[2]
        usual = view.mean[LONG]
        out[5] = view.units / usual
        out[6] = (view.units - usual) / view.deviation[LONG]
        out[7] = view.mean[WEEK] / usual
        out[8] = largest[0] / usual
        out[9] = view.count[WEEK] / (view.count[LONG] * _WEEKS)
        others = view.count[LONG] - 1
        if others > 0:
            rest = (view.total[LONG] - view.largest[2]) / 100.0
            out[10] = view.units * others / rest
