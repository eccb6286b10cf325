"""Notices that the other end of a connection has gone silent, as a machine without power does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

BEAT_S = 1.0
CALLER_BEATS = 3
"""Pings that may be unanswered. A call in flight waits for 4 s at most: 3 s after the first of
them, and up to 1 s before."""
REPLICA_BEATS = 10
"""Beats without a ping after which a replica gives a caller up. Nothing waits for that."""


class Pulse:
    """Calls `beat` every second, and `give_up` instead if nothing was heard for some beats.

    Beats are counted, not seconds: a process that stood still itself has heard nothing either, and
    reads what has arrived meanwhile before its next beat.

    Args:
        beat: called at every beat.
        give_up: called once.
        beats: how many may pass in which nothing is heard from the other end.
        beat_s: seconds between beats.
    """

    def __init__(
        self,
        beat: Callable[[], None],
        give_up: Callable[[], None],
        beats: int,
        beat_s: float | None = None,
    ) -> None:
        self._beat = beat
        self._give_up = give_up
        self._beats = beats
        self._beat_s = BEAT_S if beat_s is None else beat_s
        self._silent = 0
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, with a beat."""
        self._run()

    def heard(self) -> None:
        """Note that the other end is there."""
        self._silent = 0

    def stop(self) -> None:
        """End without giving up."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _run(self) -> None:
        if self._silent >= self._beats:
            self._next = None
            self._give_up()
            return
        self._silent += 1
        self._next = asyncio.get_running_loop().call_later(self._beat_s, self._run)
        self._beat()
