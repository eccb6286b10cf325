"""Submissions that wait for lanes, and how many of them can be answered in time."""

from __future__ import annotations

import asyncio
from collections import deque

from fraud.errors import Overloaded
from serve_app.gateway.concurrency import ConcurrencyLimit
from serve_app.gateway.errors import CallerGone
from serve_app.gateway.submission import Submission

_SHARE_OF_TIME = 0.75
"""Share of the timeout that accepted rows may need by estimate: estimates err."""


class SubmissionQueue:
    """Submissions that wait for a set of lanes, oldest first, and the calls in these lanes.

    Args:
        limit: the limit of the lanes.
        timeout_s: longest time from submission to answer.
    """

    def __init__(self, limit: ConcurrencyLimit, timeout_s: float) -> None:
        self.limit = limit
        self.calls: set[asyncio.Task[None]] = set()
        self.rows = 0
        """Rows that wait."""
        self._rows_in_flight = 0
        self._timeout_s = timeout_s
        self._queue: deque[Submission] = deque()

    @property
    def has_lane(self) -> bool:
        """Whether a lane is free."""
        return len(self.calls) < self.limit.lanes

    def has_room(self, rows: int) -> bool:
        """Return whether `rows` more can be answered in time. An idle queue always has room:
        otherwise one slow call would close it for good."""
        ahead = self.rows + self._rows_in_flight
        if not ahead:
            return True
        return ahead + rows <= self.limit.rows_in(self._timeout_s * _SHARE_OF_TIME)

    def add(self, submission: Submission) -> None:
        """Append a submission."""
        self._queue.append(submission)
        self.rows += submission.rows

    def drop_answered(self) -> None:
        """Drop submissions at the head that have their answer. Those further back count as waiting
        until they reach the head."""
        while self._queue and self._queue[0].future.done():
            self._pop()

    def take(self, now: float) -> tuple[list[Submission], int]:
        """Take the submissions of the next micro-batch, none if none wait, and return its capacity
        in rows. Submissions that cannot be answered in time any more are refused here: they would
        take the place of younger ones."""
        group: list[Submission] = []
        rows = 0
        # One that has waited for at most half of the timeout is always tried: see `has_room`.
        too_old = now - self._timeout_s + min(self.limit.call_s, self._timeout_s / 2)
        while self._queue:
            head = self._queue[0]
            if head.future.done():
                pass
            elif head.has_left():
                head.future.set_exception(CallerGone())
            elif head.since < too_old:
                head.future.set_exception(overload())
            else:
                if group and rows + head.rows > self.limit.rows:
                    break
                rows += head.rows
                group.append(head)
            self._pop()
        self._rows_in_flight += rows
        return group, rows if self._queue else max(rows, self.limit.rows)

    def call_ended(self, rows: int, capacity: int, elapsed_s: float, *, overloaded: bool) -> None:
        """Note the end of a call of `rows` rows that had room for `capacity`."""
        self._rows_in_flight -= rows
        self.limit.call_ended(rows, elapsed_s, overloaded=overloaded, capacity=capacity)

    def _pop(self) -> None:
        self.rows -= self._queue.popleft().rows


def overload() -> Overloaded:
    """Return the error of a submission that cannot be answered in time."""
    return Overloaded("too many transactions are waiting for a decision", 1.0)
