"""How much may be under way at once: more with a larger pool, less with one that cannot keep up."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

MIN_ROWS = 16
"""Rows that a micro-batch may always have: halving fewer saves nobody time."""

_GOOD_CALLS = 16
"""Calls that end well until a limit that was halved stands where it stood before."""

_HOPE = 0.9
"""Of what a row took, what is tried after each call that had room left: they may be quicker now."""


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
        self._row_s = 0.0  # a lane's time for one row of a full micro-batch; 0: none has landed
        self.rows = max_rows
        """Rows of a micro-batch now."""

    @property
    def lanes(self) -> int:
        """Micro-batches in flight now, > 0."""
        return max(1, int(self._most_lanes() * self._share))

    @property
    def call_s(self) -> float:
        """How long a full micro-batch takes, by the calls that ended last; 0 before the first."""
        return self._row_s * self.rows

    def rows_in(self, seconds: float) -> float:
        """Rows that all lanes together can answer within `seconds`, by the calls that ended last;
        infinite before the first."""
        return self.lanes * seconds / self._row_s if self._row_s else inf

    def landed(
        self, rows: int, elapsed_s: float, *, overloaded: bool, room: int | None = None
    ) -> None:
        """A call has ended.

        Args:
            rows: that it carried.
            elapsed_s: how long it took.
            overloaded: it was told that too much is under way.
            room: rows that it could have carried, >= rows; None: no more than it did.
        """
        if overloaded:
            self._share = max(self._share / 2, 1 / self._most_lanes())
        else:
            self._learn(rows, elapsed_s, room or rows)
            self._share = min(1.0, self._share + 0.5 / _GOOD_CALLS)
        if elapsed_s > self._slow_s:
            # From what the call carried: fewer rows than allowed were too many, too.
            self.rows = max(min(self._max_rows, MIN_ROWS), min(self.rows, rows) // 2)
        elif self.rows < self._max_rows:
            self.rows = min(self._max_rows, self.rows + max(1, self.rows // _GOOD_CALLS))

    def _learn(self, rows: int, elapsed_s: float, room: int) -> None:
        # One that had room left says only between what and what a full one's rows take.
        row_s = min(max(self._row_s * _HOPE, elapsed_s / room), elapsed_s / rows)
        # By half: one call that something held up does not count for all.
        self._row_s = (self._row_s + row_s) / 2
