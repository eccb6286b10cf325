"""What the state of an entity said, and what several families derive from it.

Families divide by what may be zero: `transform` takes what is not finite for unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.tiles import Flow, Position, WindowAggregates
from features.windows import Window
from fraud.batch import Float64, Int64


class History:
    """Aggregates of n rows over the windows of one entity.

    Args:
        places: names of the entity's windows -> columns of the aggregates.
        seen: what its state said.
    """

    def __init__(self, places: Mapping[str, int], seen: WindowAggregates) -> None:
        self._places = places
        self.seen = seen

    def at(self, window: Window) -> int:
        """Column of `window` in `count`, `total`, `mean` and `deviation`."""
        return self._places[window.name]

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
        deviation: Float64 = np.sqrt(np.where(variance < 0.01, 0.0, variance))
        return np.where(self.seen.count > 1, deviation, np.nan)

    @cached_property
    def _hundred_counts(self) -> Float64:
        hundred: Float64 = np.multiply(self.seen.count, 100.0)
        return hundred

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


def elapsed(since: Int64, per_second: float = 1000.0) -> Float64:
    """float64[n]: seconds; NaN for what is negative: never."""
    seconds: Float64 = np.where(since >= 0, since / per_second, np.nan)
    return seconds
