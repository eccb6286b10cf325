"""Counts, amounts and distinct partners of an entity over each of its windows."""

from __future__ import annotations

from features.families.case import Cases
from features.state.compiled import Compiled
from fraud.payment.batch import Float32


@Compiled
def columns(
    first: int, n_windows: int, n_tables: int, values: Float32, start: int, cases: Cases
) -> None:
    """n_windows * (4 + n_tables) columns: for each window, from place `first` of `WINDOWS` on,
    count, sum, mean and deviation of amounts in currency units, and distinct partners of each
    table."""
    for case in cases:
        out = values[case.row, start:]
        for i in range(n_windows):
            w, at = first + i, i * (4 + n_tables)
            out[at] = case.count[w]
            out[at + 1] = case.total[w] / 100.0
            out[at + 2] = case.mean[w]
            out[at + 3] = case.deviation[w]
            for t in range(n_tables):
                out[at + 4 + t] = case.distinct[t, w]
