"""How much work a process has in progress."""

from __future__ import annotations

import time
from collections.abc import Callable


class Load:
    """Rows in flight and processor time, averaged since the last reading.

    Calls carry many rows, so their number says little about load. Work comes in bursts far shorter
    than the time between readings, so a momentary count of rows would mostly be zero. The mean is
    exact: it is the area under the count. Rows that wait in a socket are not counted, but they show
    as processor time.

    Args:
        clock_s: monotonic seconds.
        processor_s: seconds of processor time that this process has used.
    """

    def __init__(
        self,
        clock_s: Callable[[], float] = time.monotonic,
        processor_s: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock_s = clock_s
        self._processor_s = processor_s
        self._rows = 0
        self._area = 0.0
        self._changed_s = self._read_s = clock_s()
        self._used_s = processor_s()

    def arrived(self, rows: int) -> None:
        """Note that rows came in."""
        self._advance()
        self._rows += rows

    def left(self, rows: int) -> None:
        """Note that rows were answered or given up."""
        self._advance()
        self._rows -= rows

    def since_last(self) -> tuple[float, float]:
        """Return mean rows in flight and mean processors used since the last call, each >= 0."""
        now_s, used_s = self._advance(), self._processor_s()
        elapsed_s = now_s - self._read_s
        if elapsed_s <= 0:
            return float(self._rows), 0.0
        found = self._area / elapsed_s, (used_s - self._used_s) / elapsed_s
        self._area, self._read_s, self._used_s = 0.0, now_s, used_s
        return found

    def _advance(self) -> float:
        now_s = self._clock_s()
        self._area += self._rows * (now_s - self._changed_s)
        self._changed_s = now_s
        return now_s
