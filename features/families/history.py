"""What the state of an entity said, and what several families derive from it.

Families divide by what may be zero: `transform` takes what is not finite for unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.tiles import Flow, Position, WindowAggregates
from features.windows import Window
from fraud.batch import Float64, Int64


class History:
    """Aggregates of n rows over the windows of one entity.

    Args:
        places: names of the entity's windows -> columns of the aggregates.
        seen: what its state said.

    Attributes:
        absent: bool[n]: rows of which nothing is known; None if there is no such row.
        mean: float64[n, n_windows]: mean amount in currency units; NaN without events.
        deviation: float64[n, n_windows]: standard deviation (population) of amounts in currency
            units; NaN with fewer than two events.
    """

    def __init__(self, places: Mapping[str, int], seen: WindowAggregates) -> None:
        self._places = places
        self.seen = seen
        self.absent = None if seen.present.all() else ~seen.present
        self.mean, self.deviation = _moments(seen)

    def at(self, window: Window) -> int:
        """Column of `window` in `count`, `total`, `mean` and `deviation`."""
        return self._places[window.name]

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


def _moments(seen: WindowAggregates) -> tuple[Float64, Float64]:
    if seen.count.size == 0:
        return np.empty(seen.count.shape), np.empty(seen.count.shape)
    hundred = seen.count * 100.0
    mean: Float64 = seen.total / hundred
    # Squares are rounded to hundredths each: what remains below that is not a deviation.
    variance = seen.squares / hundred - mean * mean
    deviation = np.sqrt(np.where(variance < 0.01, 0.0, variance))
    return mean, np.where(seen.count > 1, deviation, np.nan)


def elapsed(since: Int64, per_second: float = 1000.0) -> Float64:
    """float64[n]: seconds; NaN for what is negative: never."""
    seconds: Float64 = np.where(since >= 0, since / per_second, np.nan)
    return seconds
