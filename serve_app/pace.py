"""How much may be under way at once: more with a larger pool, less with one that cannot keep up."""

from __future__ import annotations

from collections.abc import Callable

MIN_ROWS = 16
"""Rows that a micro-batch may always have: halving fewer saves nobody time."""

_GOOD_CALLS = 16
"""Calls that end well until a limit that was halved stands where it stood before."""


class Pace:
    """Lanes, and rows of a micro-batch, by how calls end: each call that ends badly halves, each
    that ends well adds a little.

    Args:
        lanes: micro-batches in flight at most, > 0; asked again each time, since pools grow.
        max_rows: rows of a micro-batch at most, > 0.
        slow_s: a call that takes longer carried too many rows.
    """

    def __init__(self, lanes: Callable[[], int], max_rows: int, slow_s: float) -> None:
        self._most_lanes = lanes
        self._max_rows = max_rows
        self._slow_s = slow_s
        self._share = 1.0
        self.rows = max_rows
        """Rows of a micro-batch now."""

    @property
    def lanes(self) -> int:
        """Micro-batches in flight now, > 0."""
        return max(1, int(self._most_lanes() * self._share))

    def landed(self, rows: int, elapsed_s: float, *, overloaded: bool) -> None:
        """A call has ended.

        Args:
            rows: that it carried.
            elapsed_s: how long it took.
            overloaded: it was told that too much is under way.
        """
        if overloaded:
            self._share = max(self._share / 2, 1 / self._most_lanes())
        elif self._share < 1:
            self._share = min(1.0, self._share + 0.5 / _GOOD_CALLS)
        if elapsed_s > self._slow_s:
            # From what the call carried: fewer rows than allowed were too many, too.
            self.rows = max(min(self._max_rows, MIN_ROWS), min(self.rows, rows) // 2)
        elif self.rows < self._max_rows:
            self.rows = min(self._max_rows, self.rows + max(1, self.rows // _GOOD_CALLS))
