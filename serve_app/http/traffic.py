"""Metrics of requests: how many there are, their statuses, and the latency of decisions."""

from __future__ import annotations

from telemetry import metrics
from telemetry.metrics import tally


class Traffic:
    """Counts the requests of one app in `telemetry.metrics.tally`."""

    def __init__(self) -> None:
        self._in_progress = 0

    def began(self) -> None:
        """Count a request that has arrived."""
        self._in_progress += 1
        tally.set(metrics.REQUESTS_IN_PROGRESS, self._in_progress)
        tally.arm()

    def ended(self) -> None:
        """Count a request as over, however it ended."""
        self._in_progress -= 1
        tally.set(metrics.REQUESTS_IN_PROGRESS, self._in_progress)
        tally.arm()

    def answered(self, route: str, status: str) -> None:
        """Count an answer; status "0" if there was none."""
        tally.later(_answered, route, status)

    def decided(self, elapsed_s: float, stage_ms: dict[str, float]) -> None:
        """Count an answered request for decisions.

        Args:
            elapsed_s: from its arrival to its answer.
            stage_ms: milliseconds in each stage of the ingress.
        """
        tally.later(_decided, elapsed_s, stage_ms)


def _answered(route: str, status: str) -> None:
    tally.count(metrics.REQUESTS, 1, route, status)


def _decided(elapsed_s: float, stage_ms: dict[str, float]) -> None:
    tally.observe(metrics.PREDICTION_LATENCY, elapsed_s)
    metrics.observe_stages(stage_ms)
