"""Where a micro-batch's time goes."""

from __future__ import annotations

import time


class Stages:
    """A stopwatch with laps. `ms` is stage -> milliseconds, in the order in which they ended."""

    __slots__ = ("_last_ns", "ms")

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last_ns = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Everything since the last lap was `stage`."""
        now_ns = time.perf_counter_ns()
        self.ms[stage] = round((now_ns - self._last_ns) / 1e6, 3)
        self._last_ns = now_ns
