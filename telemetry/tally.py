"""Counts in plain numbers, added to the metrics a few times a second.

To count between two decisions costs several times what it costs in a row, as code and data of the
one have left the processor's caches when the other comes: `later` keeps even the counting for then.
A metric that a node's processes share lies in a mapped file, and one increment of it takes one to
two microseconds; a micro-batch makes forty. Kept in dicts meanwhile they are a fraction of that. A
process that is killed takes at most `FLUSH_S` of counts with it.
"""

from __future__ import annotations

import asyncio
import atexit
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

FLUSH_S = 0.25
"""How old the metrics may be."""
_MOST_LATER = 64
"""Calls that wait at most: nobody should wait long for all of them."""


class Tally:
    """What waits to be added to metrics. It belongs to one event loop; without one nothing waits.

    Metrics are given without labels or as children of those with labels, looked up once.
    """

    def __init__(self) -> None:
        self._counts: dict[Counter, float] = {}
        self._levels: dict[Gauge, float] = {}
        self._seen: dict[Histogram, list[int]] = {}
        self._sums: dict[Histogram, float] = {}
        self._later: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._due: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self.flush)

    def __reduce__(self) -> str:
        # Ray pickles the class of a deployment with the globals that its methods name: a copy of
        # a tally would be counted into and never flushed. Name the module that holds it instead.
        raise TypeError("a tally belongs to its process: use it as `metrics.tally`")

    def count(self, counter: Counter, amount: float) -> None:
        """Add `amount` >= 0 to a counter."""
        self._counts[counter] = self._counts.get(counter, 0) + amount

    def level(self, gauge: Gauge, value: float) -> None:
        """Set a gauge."""
        self._levels[gauge] = value

    def observe(self, histogram: Histogram, amount: float) -> None:
        """Add one observation, which is not NaN, to a histogram."""
        seen = self._seen.get(histogram)
        if seen is None:
            seen = self._seen[histogram] = [0] * len(histogram._upper_bounds)
            self._sums[histogram] = 0.0
        seen[bisect_left(histogram._upper_bounds, amount)] += 1
        self._sums[histogram] += amount

    def later(self, tell: Callable[..., None], *arguments: Any) -> None:
        """Call `tell`, which counts, levels or observes here, before the next flush. Arms."""
        self._later.append((tell, arguments))
        if len(self._later) >= _MOST_LATER:
            self._told()
        self.arm()

    def arm(self) -> None:
        """See to it that what was told is added within `FLUSH_S`. To be called after telling."""
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
        self._told()
        for counter, amount in self._counts.items():
            counter.inc(amount)
        for gauge, value in self._levels.items():
            gauge.set(value)
        for histogram, seen in self._seen.items():
            # As its own `observe` would have, were there one of many observations.
            histogram._sum.inc(self._sums[histogram])
            for i, times in enumerate(seen):
                if times:
                    histogram._buckets[i].inc(times)
        self._counts.clear()
        self._levels.clear()
        self._seen.clear()
        self._sums.clear()

    def _told(self) -> None:
        later, self._later = self._later, []
        for tell, arguments in later:
            tell(*arguments)
