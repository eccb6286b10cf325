"""The limit of concurrent work: higher with a larger pool, lower when the pool cannot keep up."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

MIN_ROWS = 16
"""Rows that a micro-batch may always have: halving fewer saves no time."""

_GOOD_CALLS = 16
"""Good calls until a limit that was halved is restored."""

_OPTIMISM = 0.9
"""Factor on the estimated time of a row after a call that was not full: rows may be faster now."""


class ConcurrencyLimit:
    """Limits of lanes and of rows in a micro-batch. A bad call halves them, a good one adds a
    little.

    Args:
        lanes: returns the most micro-batches in flight, > 0; called each time, since pools grow.
        max_rows: most rows of a micro-batch, > 0.
        slow_s: a call that takes longer carried too many rows.
    """

    def __init__(self, lanes: Callable[[], int], max_rows: int, slow_s: float) -> None:
        self._max_lanes = lanes
        self._max_rows = max_rows
        self._slow_s = slow_s
        self._share = 1.0
        self._row_s = 0.0  # a lane's time for one row of a full micro-batch; 0: no call has ended
        self.rows = max_rows
        """Rows of a micro-batch now."""

    @property
    def lanes(self) -> int:
        """Micro-batches in flight now, > 0."""
        return max(1, int(self._max_lanes() * self._share))

    @property
    def call_s(self) -> float:
        """Estimated seconds of a full micro-batch; 0 before the first call has ended."""
        return self._row_s * self.rows

    def rows_in(self, seconds: float) -> float:
        """Return the estimated rows that all lanes answer within `seconds`; infinite before the
        first call has ended."""
        return self.lanes * seconds / self._row_s if self._row_s else inf

    def call_ended(
        self, rows: int, elapsed_s: float, *, overloaded: bool, capacity: int | None = None
    ) -> None:
        """Adapt the limits to a call that has ended.

        Args:
            rows: rows that it carried.
            elapsed_s: how long it took.
            overloaded: whether it was refused because too much is in flight.
            capacity: rows that it could have carried, >= rows; None: no more than it did.
        """
        if overloaded:
            self._share = max(self._share / 2, 1 / self._max_lanes())
        else:
            self._learn(rows, elapsed_s, capacity or rows)
            self._share = min(1.0, self._share + 0.5 / _GOOD_CALLS)
        if elapsed_s > self._slow_s:
            # From what the call carried: it may have been fewer rows than allowed.
            self.rows = max(min(self._max_rows, MIN_ROWS), min(self.rows, rows) // 2)
        elif self.rows < self._max_rows:
            self.rows = min(self._max_rows, self.rows + max(1, self.rows // _GOOD_CALLS))

    def _learn(self, rows: int, elapsed_s: float, capacity: int) -> None:
        # A call that was not full only gives bounds for the rows of a full one.
        row_s = min(max(self._row_s * _OPTIMISM, elapsed_s / capacity), elapsed_s / rows)
        # By half, so that one call that was held up does not decide alone.
        self._row_s = (self._row_s + row_s) / 2
