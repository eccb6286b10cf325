"""A stopwatch for the stages of a micro-batch (`fraud.stage`)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from fraud.decision import Vote
from fraud.stage import VARIANT


class Stages:
    """A stopwatch with laps. `ms` maps stages to milliseconds, in the order in which they ended."""

    __slots__ = ("_last_ns", "ms")

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last_ns = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as `stage`."""
        now_ns = time.perf_counter_ns()
        self.ms[stage] = (now_ns - self._last_ns) / 1e6
        self._last_ns = now_ns

    def fork(self) -> Stages:
        """Return another stopwatch that has run as long, for one of several groups of rows."""
        other = Stages()
        other.ms, other._last_ns = self.ms.copy(), self._last_ns
        return other

    def within(self, parts_ms: dict[str, float]) -> None:
        """Add times that were measured elsewhere within the last lap."""
        self.ms.update(parts_ms)

    def votes(self, votes: Iterable[Vote]) -> None:
        """Add the time of each variant that answered."""
        for vote in votes:
            if vote.scores is not None:
                self.ms[f"{VARIANT}{vote.variant}"] = vote.elapsed_ms
