"""Submissions that wait for lanes of their own, and how many of them can be answered in time."""

from __future__ import annotations

import asyncio
from collections import deque

from fraud.errors import Overloaded
from serve_app.gateway.concurrency import Pace
from serve_app.gateway.submission import Waiting
from serve_app.http.exchange import ClientGone

_SHARE_OF_TIME = 0.75
"""Of the longest time, what those who are let in may need by estimate: estimates err."""


class Line:
    """Those who wait for some lanes, oldest first, and what is under way in them.

    Args:
        pace: of the lanes.
        timeout_s: longest time from submission to answer.
    """

    def __init__(self, pace: Pace, timeout_s: float) -> None:
        self.pace = pace
        self.flights: set[asyncio.Task[None]] = set()
        self.rows = 0
        """Rows that wait."""
        self._flying = 0
        self._timeout_s = timeout_s
        self._queue: deque[Waiting] = deque()

    @property
    def has_lane(self) -> bool:
        """Whether a lane is free."""
        return len(self.flights) < self.pace.lanes

    def takes(self, rows: int) -> bool:
        """Whether `rows` more can be answered in time. Who comes first is always taken: else a
        pace that was slow once would stay so."""
        under_way = self.rows + self._flying
        if not under_way:
            return True
        return under_way + rows <= self.pace.rows_in(self._timeout_s * _SHARE_OF_TIME)

    def add(self, waiting: Waiting) -> None:
        """At the end."""
        self._queue.append(waiting)
        self.rows += waiting.rows

    def forget_the_gone(self) -> None:
        """Those at the head who wait no more: the others are counted until they are there."""
        while self._queue and self._queue[0].future.done():
            self._pop()

    def depart(self, now: float) -> tuple[list[Waiting], int]:
        """Those who take the next free lane, none if nobody waits, and the rows it has room for.
        Others that it is too late for are told so: they would take the place of younger ones."""
        group: list[Waiting] = []
        rows = 0
        # Who waited for half of the time at most goes in any case: see `takes`.
        too_old = now - self._timeout_s + min(self.pace.call_s, self._timeout_s / 2)
        while self._queue:
            head = self._queue[0]
            if head.future.done():
                pass
            elif head.has_left():
                head.future.set_exception(ClientGone())
            elif head.since < too_old:
                head.future.set_exception(overload())
            else:
                if group and rows + head.rows > self.pace.rows:
                    break
                rows += head.rows
                group.append(head)
            self._pop()
        self._flying += rows
        return group, rows if self._queue else max(rows, self.pace.rows)

    def landed(self, rows: int, room: int, elapsed_s: float, *, overloaded: bool) -> None:
        """A flight of `rows` rows, which had room for `room`, has ended."""
        self._flying -= rows
        self.pace.landed(rows, elapsed_s, overloaded=overloaded, room=room)

    def _pop(self) -> None:
        self.rows -= self._queue.popleft().rows


def overload() -> Overloaded:
    """What who cannot be taken is told."""
    return Overloaded("too many transactions are waiting for a decision", 1.0)
