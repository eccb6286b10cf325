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
        mean: float64[n, n_windows]: mean amount in currency units; NaN without events.
        deviation: float64[n, n_windows]: standard deviation (population) of amounts in currency
            units; NaN with fewer than two events.

    Attributes:
        absent: bool[n]: rows of which nothing is known; None if there is no such row.
    """

    def __init__(
        self, places: Mapping[str, int], seen: WindowAggregates, mean: Float64, deviation: Float64
    ) -> None:
        self._places = places
        self.seen = seen
        self.mean = mean
        self.deviation = deviation
        self.absent = None if seen.present.all() else ~seen.present

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


def histories(
    places: Mapping[str, Mapping[str, int]], aggregates: Mapping[str, WindowAggregates]
) -> dict[str, History]:
    """One for each role, the moments of all worked out at once.

    Args:
        places: role -> names of its entity's windows -> columns of its aggregates.
        aggregates: role -> what its state said.
    """
    if not aggregates:
        return {}
    columns = list(aggregates.values())
    count = np.concatenate([seen.count for seen in columns], axis=1)
    hundred = count * 100.0
    mean = np.concatenate([seen.total for seen in columns], axis=1) / hundred
    # Squares are rounded to hundredths each: what remains below that is not a deviation.
    variance = np.concatenate([seen.squares for seen in columns], axis=1) / hundred - mean * mean
    deviation = np.sqrt(np.where(variance < 0.01, 0.0, variance))
    deviation = np.where(count > 1, deviation, np.nan)
    out, stop = {}, 0
    for role, seen in aggregates.items():
        own = slice(stop, stop := stop + seen.count.shape[1])
        out[role] = History(places[role], seen, mean[:, own], deviation[:, own])
    return out


def elapsed(since: Int64 | Float64, per_second: float = 1000.0) -> Float64:
    """float64, of the same shape: seconds; NaN for what is negative: never."""
    seconds: Float64 = np.where(since >= 0, since / per_second, np.nan)
    return seconds
