"""Counts of the front in plain numbers, handed to the metrics a few times a second.

A metric that a node's processes share lies in a mapped file, and an increment costs as much as
reading a request's head. A request is counted here, in a list and a dict, and each `FLUSH_S` at
most the sums are added to the metrics. Nothing runs while there is nothing to add.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left

from prometheus_client import Histogram

from deployments import metrics

FLUSH_S = 0.25
"""How old the metrics may be."""


class BulkHistogram:
    """A histogram that takes its observations in bulk.

    Args:
        histogram: one without labels, or a child of one with labels.
    """

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._bounds = tuple(histogram._upper_bounds)  # the last is infinite
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
        self._dirty = False

    def observe(self, amount: float) -> None:
        """Keep one observation, which may be anything but NaN."""
        self._counts[bisect_left(self._bounds, amount)] += 1
        self._sum += amount
        self._dirty = True

    def flush(self) -> None:
        """Add what was kept to the histogram, as its own `observe` would have."""
        if not self._dirty:
            return
        self._histogram._sum.inc(self._sum)
        for i, count in enumerate(self._counts):
            if count:
                self._histogram._buckets[i].inc(count)
                self._counts[i] = 0
        self._sum = 0.0
        self._dirty = False


class Tally:
    """Requests of one process: how many, how they ended, how long they took. One loop's alone."""

    def __init__(self) -> None:
        self._in_progress = 0
        self._requests: dict[tuple[str, str], int] = {}
        self._latency = BulkHistogram(metrics.PREDICTION_LATENCY)
        self._stages: dict[str, BulkHistogram] = {}
        self._due: asyncio.TimerHandle | None = None

    def began(self) -> None:
        """A request arrived."""
        self._in_progress += 1
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def ended(self) -> None:
        """A request that arrived is over, however it ended."""
        self._in_progress -= 1
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def answered(self, route: str, status: str) -> None:
        """A request was answered, or given up with status "0"."""
        key = route, status
        self._requests[key] = self._requests.get(key, 0) + 1

    def decided(self, elapsed_s: float, stage_ms: dict[str, float]) -> None:
        """A request for decisions was answered.

        Args:
            elapsed_s: from its arrival to its answer.
            stage_ms: milliseconds that it spent in each stage of the ingress.
        """
        self._latency.observe(elapsed_s)
        for stage, ms in stage_ms.items():
            spent = self._stages.get(stage)
            if spent is None:
                spent = self._stages[stage] = BulkHistogram(metrics.STAGE.labels(stage))
            spent.observe(ms / 1e3)

    def flush(self) -> None:
        """Hand over what was counted."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        metrics.REQUESTS_IN_PROGRESS.set(self._in_progress)
        for (route, status), count in self._requests.items():
            metrics.REQUESTS.labels(route, status).inc(count)
        self._requests.clear()
        self._latency.flush()
        for spent in self._stages.values():
            spent.flush()
