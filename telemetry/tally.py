"""Counts in plain numbers, added to the metrics a few times a second.

A metric that the processes of a node share lies in a mapped file. One increment of it takes one to
two microseconds, and a micro-batch makes forty; in dicts they cost a fraction of that. Even those
are cheaper all at once than one by one between decisions, when code and data have left the
processor's caches: `later` defers the counting, too. A process that is killed loses at most
`FLUSH_S` of counts.
"""

from __future__ import annotations

import asyncio
import atexit
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from telemetry.prometheus import observe_many, upper_bounds

FLUSH_S = 0.25
"""How old the metrics may be."""
_MAX_LATER = 64
"""Most deferred calls: all of them together must not take long."""

Labels = tuple[str, ...]
M = TypeVar("M", Counter, Gauge, Histogram)


class _Observed:
    """Observations of one histogram by bucket."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.total = 0.0


class Tally:
    """Counts to be added to metrics. It belongs to one event loop; without a loop, everything is
    added at once.

    A metric is given with the values of its labels, in the order in which it declares them.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[Counter, Labels], float] = {}
        self._levels: dict[tuple[Gauge, Labels], float] = {}
        self._observed: dict[tuple[Histogram, Labels], _Observed] = {}
        self._later: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._due: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self.flush)

    def __reduce__(self) -> str:
        # Ray pickles the class of a deployment with the globals that its methods name: a copy of
        # a tally would be counted into and never flushed. Name the module that holds it instead.
        raise TypeError("a tally belongs to its process: use it as `metrics.tally`")

    def count(self, counter: Counter, amount: float, *labels: str) -> None:
        """Add `amount` >= 0 to a counter."""
        key = counter, labels
        self._counts[key] = self._counts.get(key, 0) + amount

    def set(self, gauge: Gauge, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._levels[gauge, labels] = value

    def observe(self, histogram: Histogram, amount: float, *labels: str) -> None:
        """Add one observation, which is not NaN, to a histogram."""
        key = histogram, labels
        observed = self._observed.get(key)
        if observed is None:
            observed = self._observed[key] = _Observed(upper_bounds(histogram))
        observed.counts[bisect_left(observed.bounds, amount)] += 1
        observed.total += amount

    def later(self, count: Callable[..., None], *arguments: Any) -> None:
        """Call `count`, which uses the methods above, before the next flush. Arms."""
        self._later.append((count, arguments))
        if len(self._later) >= _MAX_LATER:
            self._run_later()
        self.arm()

    def arm(self) -> None:
        """Have everything added within `FLUSH_S`. Call it after counting, once a micro-batch."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._due is None or self._loop is not loop:
            self._loop = loop
            self._due = loop.call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Add everything now."""
        self._due = None
        self._run_later()
        for (counter, labels), amount in self._counts.items():
            _child(counter, labels).inc(amount)
        for (gauge, labels), value in self._levels.items():
            _child(gauge, labels).set(value)
        for (histogram, labels), observed in self._observed.items():
            observe_many(_child(histogram, labels), observed.counts, observed.total)
        self._counts.clear()
        self._levels.clear()
        self._observed.clear()

    def _run_later(self) -> None:
        later, self._later = self._later, []
        for count, arguments in later:
            count(*arguments)


@lru_cache(maxsize=4096)
def _child(metric: M, labels: Labels) -> M:
    return metric.labels(*labels) if labels else metric
