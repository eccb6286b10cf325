"""This amount, and the frequency of payments, against an entity's own history."""

from __future__ import annotations

from features.families.view import DAY, MONTH, Views
from features.state.compiled import Compiled
from features.state.windows import D30, DAY_MS
from fraud.payment.batch import Float32

_DAYS = D30.span_ms / DAY_MS


@Compiled
def columns(values: Float32, start: int, views: Views) -> None:
    """3 columns: amount / mean of 30 d; (amount - mean) / deviation of 30 d; payments of 24 h /
    daily mean of 30 d."""
    for view in views:
        out = values[view.row, start:]
        mean = view.mean[MONTH]
        out[0] = view.units / mean
        out[1] = (view.units - mean) / view.deviation[MONTH]
        out[2] = view.count[DAY] / (view.count[MONTH] / _DAYS)
