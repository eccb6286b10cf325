"""Counts, amounts and distinct partners of an entity over each of its windows."""

from __future__ import annotations

from features.families.view import Views
from features.state.compiled import Compiled
from fraud.payment.batch import Float32


@Compiled
def columns(
    first: int, n_windows: int, n_tables: int, values: Float32, start: int, views: Views
) -> None:
    """n_windows * (4 + n_tables) columns: for each of the windows from `WINDOWS[first]` on, count,
    sum, mean and deviation of amounts in currency units, and distinct partners of each table."""
    for view in views:
        out = values[view.row, start:]
        for i in range(n_windows):
            w, at = first + i, i * (4 + n_tables)
            out[at] = view.count[w]
            out[at + 1] = view.total[w] / 100.0
            out[at + 2] = view.mean[w]
            out[at + 3] = view.deviation[w]
            for t in range(n_tables):
                out[at + 4 + t] = view.distinct[t, w]
