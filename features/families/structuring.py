"""Amounts just under the reporting threshold: now, and in an entity's history."""

from __future__ import annotations

from features.families.rows import Rows
from features.families.view import MONTH, Views
from features.state.compiled import Compiled
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from fraud.payment.batch import Float32


def request(out: Float32, rows: Rows) -> None:
    """1 column: whether the amount lies just under the threshold."""
    at_least, below = BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
    out[:, 0] = (rows.hundredths >= at_least) & (rows.hundredths < below)


@Compiled
def counts(values: Float32, start: int, views: Views) -> None:
    """2 columns: payments just under the threshold in 7 d and in 30 d."""
    for view in views:
        values[view.row, start] = view.near[0]
        values[view.row, start + 1] = view.near[1]


@Compiled
def share(values: Float32, start: int, views: Views) -> None:
    """1 column: the share of such payments among all of 30 d; NaN without payments."""
    for view in views:
        values[view.row, start] = view.near[1] / view.count[MONTH]
