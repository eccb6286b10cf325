"""This amount, and the pace of payments, against an entity's own history."""

from __future__ import annotations

from features.families.case import DAY, MONTH, Cases
from features.state.compiled import Compiled
from features.state.windows import D30, DAY_MS
from fraud.payment.batch import Float32

_DAYS = D30.span_ms / DAY_MS


@Compiled
def columns(values: Float32, start: int, cases: Cases) -> None:
    """3 columns: amount / mean of 30 d; (amount - mean) / deviation of 30 d; payments of 24 h /
    daily mean of 30 d."""
    for case in cases:
        out = values[case.row, start:]
        mean = case.mean[MONTH]
        out[0] = case.units / mean
        out[1] = (case.units - mean) / case.deviation[MONTH]
        out[2] = case.count[DAY] / (case.count[MONTH] / _DAYS)
