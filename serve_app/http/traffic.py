"""Requests as metrics: how many there are, how they end, how long decisions take."""

from __future__ import annotations

from functools import lru_cache

from telemetry import metrics
from telemetry.metrics import tally

_requests = lru_cache(maxsize=256)(metrics.REQUESTS.labels)


class Traffic:
    """The requests of one app, told to `telemetry.metrics.tally`."""

    def __init__(self) -> None:
        self._in_progress = 0

    def began(self) -> None:
        """A request arrived."""
        self._in_progress += 1
        tally.level(metrics.REQUESTS_IN_PROGRESS, self._in_progress)
        tally.arm()

    def ended(self) -> None:
        """A request that arrived is over, however it ended."""
        self._in_progress -= 1
        tally.level(metrics.REQUESTS_IN_PROGRESS, self._in_progress)
        tally.arm()

    def answered(self, route: str, status: str) -> None:
        """A request was answered, or given up with status "0"."""
        tally.later(_answered, route, status)

    def decided(self, elapsed_s: float, stage_ms: dict[str, float]) -> None:
        """A request for decisions was answered.

        Args:
            elapsed_s: from its arrival to its answer.
            stage_ms: milliseconds that it spent in each stage of the ingress.
        """
        tally.later(_decided, elapsed_s, stage_ms)


def _answered(route: str, status: str) -> None:
    tally.count(_requests(route, status), 1)


def _decided(elapsed_s: float, stage_ms: dict[str, float]) -> None:
    tally.observe(metrics.PREDICTION_LATENCY, elapsed_s)
    metrics.observe_stages(stage_ms)
