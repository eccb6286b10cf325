"""Rate limits of this process alone: the same counters as in `admit.lua`, in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from serve_app.gateway.ratelimit.interface import BUCKETS, Admission, AdmissionRequest

MAX_COUNTERS = 200_000


@dataclass(slots=True)
class _Counter:
    """Rows of the newest buckets, each `span_us` long: `ring[k]` is bucket `newest - k`."""

    newest: int
    span_us: int
    ring: list[int] = field(default_factory=lambda: [0] * (BUCKETS + 1))
    used: int = 0

    def roll(self, bucket: int) -> None:
        """Make `bucket` the newest one and forget the rows that have left the window."""
        if self.newest > bucket + BUCKETS:
            self.newest = bucket + 1  # the clock was set back
        shift = bucket - self.newest
        if shift <= 0:
            return
        self.newest = bucket
        kept = self.ring[: max(0, BUCKETS + 1 - shift)]
        self.ring = [0] * (BUCKETS + 1 - len(kept)) + kept
        self.used = sum(kept)

    def is_over(self, now_us: int) -> bool:
        """Return whether all of its rows are forgotten."""
        return (self.newest + BUCKETS + 1) * self.span_us <= now_us

    def add(self) -> None:
        """Count one row now."""
        self.ring[0] += 1
        self.used += 1

    def back_us(self, rows: int, now_us: int) -> int:
        """Return the microseconds until `rows` rows or more are forgotten, 0 if there are fewer."""
        for k in range(BUCKETS, -1, -1):
            rows -= self.ring[k]
            if rows <= 0:
                return (self.newest - k + BUCKETS + 1) * self.span_us - now_us
        return 0


class LocalLimiter:
    """See `Limiter`. Keeps the `max_counters` counters that were used last. A counter that is
    dropped starts again at zero. One whose window is over is dropped as soon as none that was used
    longer ago still counts.

    Args:
        clock_us: microseconds.
        max_counters: > 0.
    """

    def __init__(
        self,
        clock_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
        max_counters: int = MAX_COUNTERS,
    ) -> None:
        self._clock_us = clock_us
        self._max_counters = max_counters
        self._counters: OrderedDict[str, _Counter] = OrderedDict()

    async def admit(self, request: AdmissionRequest) -> Admission:
        """See `Limiter`; never raises."""
        now_us = self._clock_us()
        counters = [
            self._rolled(name, now_us // span, span)
            for name, span in zip(request.counters, request.spans_us, strict=True)
        ]
        self._drop_oldest(now_us)
        refused: list[int] = []
        at, row = 0, 0
        while at < len(request.rows):
            quotas = request.quotas[request.rows[at]]
            numbers = request.rows[at + 1 : at + 1 + len(quotas)]
            refused_by, wait_us = -1, 0
            for limit, (number, quota) in enumerate(zip(numbers, quotas, strict=True)):
                counter = counters[number]
                if counter.used >= quota:
                    own = counter.back_us(counter.used - quota + 1, now_us)
                    if own > wait_us:
                        refused_by, wait_us = limit, own
            if refused_by >= 0:
                refused += (row, refused_by, wait_us)
            else:
                for number in numbers:
                    counters[number].add()
            at, row = at + 1 + len(quotas), row + 1
        used_and_back: list[int] = []
        for number in request.keys:
            counter = counters[number]
            used_and_back += (counter.used, counter.back_us(1, now_us))
        return request.admission(used_and_back, refused)

    def _drop_oldest(self, now_us: int) -> None:
        """Drop the counters used longest ago while they are over or too many."""
        counters = self._counters
        while counters:
            oldest = next(iter(counters.values()))
            if len(counters) <= self._max_counters and not oldest.is_over(now_us):
                return
            counters.popitem(last=False)

    def _rolled(self, name: str, bucket: int, span_us: int) -> _Counter:
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = _Counter(bucket, span_us)
        else:
            self._counters.move_to_end(name)
            counter.roll(bucket)
        return counter
