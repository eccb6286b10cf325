"""What the state of an entity said, and what several families derive from it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.tiles import Flow, Position, WindowAggregates
from features.windows import Window
from fraud.batch import Float64, Int64


class History:
    """Aggregates of n rows over the windows of one entity.

    Args:
        windows: the entity's windows, in the order of the aggregates' columns.
        seen: what its state said.
    """

    def __init__(self, windows: tuple[Window, ...], seen: WindowAggregates) -> None:
        self.windows = windows
        self.seen = seen

    def at(self, window: Window) -> int:
        """Column of `window` in `count`, `total`, `mean` and `deviation`."""
        return self.windows.index(window)

    @cached_property
    def absent(self) -> NDArray[np.bool_] | None:
        """bool[n]: rows of which nothing is known; None if there is no such row."""
        return None if self.seen.present.all() else ~self.seen.present

    @cached_property
    def mean(self) -> Float64:
        """float64[n, n_windows]: mean amount in currency units; NaN without events."""
        return self.seen.total / self._hundred_counts

    @cached_property
    def deviation(self) -> Float64:
        """float64[n, n_windows]: standard deviation (population) of amounts in currency units; NaN
        with fewer than two events."""
        # Squares are rounded to hundredths each: what remains below that is not a deviation.
        variance = self.seen.squares / self._hundred_counts - self.mean * self.mean
        variance = np.where(variance < 0.01, 0.0, variance)
        return np.where(self.seen.count > 1, np.sqrt(variance), np.nan)

    @property
    def flow(self) -> Flow:
        """What an account received and paid."""
        assert self.seen.flow is not None
        return self.seen.flow

    @property
    def position(self) -> Position:
        """Where a customer was."""
        assert self.seen.position is not None
        return self.seen.position

    @cached_property
    def _hundred_counts(self) -> Float64:
        return np.where(self.seen.count > 0, self.seen.count, np.nan) * 100.0


def seconds(elapsed_ms: Int64) -> Float64:
    """float64, of the same shape: seconds; NaN for what is negative: never."""
    return np.where(elapsed_ms >= 0, elapsed_ms / 1000.0, np.nan)


def positive(values: NDArray[np.int64] | Float64) -> Float64:
    """float64, of the same shape: a divisor; NaN where it is not above zero."""
    return np.where(values > 0, values, np.nan)
