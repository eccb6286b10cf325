"""Warnings about what may happen many times a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0


class SparseWarning:
    """Logs a reason at most once in `every_s`, with the number of those that were left out.

    Args:
        logger: where to.
        what: what happens; the reason follows.
        every_s: shortest time between two lines.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        logger: logging.Logger,
        what: str,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._what = what
        self._every_s = every_s
        self._clock = clock
        self._next_s = float("-inf")
        self._left_out = 0

    def __call__(self, reason: object) -> None:
        """Log, or count."""
        now_s = self._clock()
        if now_s < self._next_s:
            self._left_out += 1
            return
        more = f" ({self._left_out} more since the last line)" if self._left_out else ""
        self._logger.warning("%s: %s%s", self._what, reason, more)
        self._next_s, self._left_out = now_s + self._every_s, 0
