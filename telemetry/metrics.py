"""Every metric of Quorum, once: name, labels, buckets, and how the processes of a node share it.

With `PROMETHEUS_MULTIPROC_DIR` in the environment (the node sets it before Ray starts) each process
writes its values into files of that folder, and `exposition` of any process gives the sum over all.
Without it a process shows its own.

Counting is done once a micro-batch, never once a row, and waits in plain numbers for a quarter of a
second (`telemetry/tally.py`); children of labels are looked up once. No label ever holds a
customer, a card, an address or a key.
"""

from __future__ import annotations

import collections
import os
import platform
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version as package_version
from itertools import chain
from pathlib import Path

import psutil
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import InfoMetricFamily, Metric

from fraud.decision import OUTCOMES
from fraud.record import CODE_VERSION
from telemetry.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_BUCKETS_S = (
    *(0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02),
    *(0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0),
)
ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_RECENT_BATCHES = 256

PREDICTIONS = Counter(
    "fraud_predictions_total",
    "Rows scored, by model and by what it said of them; the model `plan` is the combination.",
    ["model", "label"],
)
PREDICTION_LATENCY = Histogram(
    "fraud_prediction_latency_seconds",
    "From a request's arrival at the ingress to its answer.",
    buckets=LATENCY_BUCKETS_S,
)
REQUESTS_IN_PROGRESS = Gauge(
    "fraud_api_requests_in_progress",
    "Requests that the ingress is working on.",
    multiprocess_mode="livesum",
)
DETECTION_RATE = Gauge(
    "fraud_detection_rate",
    "Share of recent decisions that were not approve, over the last micro-batches.",
    multiprocess_mode="livemostrecent",
)
REQUESTS = Counter(
    "fraud_api_requests_total", "Requests, by route and status.", ["route", "status"]
)
DECISIONS = Counter("fraud_decisions_total", "Decisions by outcome.", ["outcome"])
DEGRADED = Counter(
    "fraud_degraded_decisions_total", "Decisions poorer than the plan wants, by why.", ["reason"]
)
STAGE = Histogram(
    "fraud_stage_seconds",
    "Time a micro-batch spent in a stage.",
    ["stage"],
    buckets=LATENCY_BUCKETS_S,
)
BATCH_ROWS = Histogram("fraud_batch_rows", "Rows of a micro-batch.", buckets=ROW_BUCKETS)
VOTE_LATENCY = Histogram(
    "fraud_vote_seconds",
    "Time until a variant that was asked answered or was given up, as the combiner saw it.",
    ["variant"],
    buckets=LATENCY_BUCKETS_S,
)
VOTES = Counter("fraud_votes_total", "Calls to variants by how they ended.", ["variant", "status"])
VARIANT_ROWS = Counter("fraud_variant_rows_total", "Rows scored by a variant's pool.", ["variant"])
VARIANT_BUSY = Counter(
    "fraud_variant_busy_seconds_total", "Time a variant's pool spent scoring.", ["variant"]
)
VARIANT_ERRORS = Counter(
    "fraud_variant_errors_total",
    "Calls that a variant's replica failed, by error.",
    ["variant", "error"],
)
VARIANT_SWAPS = Counter(
    "fraud_variant_swaps_total",
    "Artifacts that replicas took up (`taken`) or refused (`refused`).",
    ["variant", "result"],
)
PLAN_VERSION = Gauge(
    "fraud_plan_version",
    "Version of the active plan.",
    ["plan"],
    multiprocess_mode="livemostrecent",
)
PLAN_KEPT = Gauge(
    "fraud_plan_kept",
    "Combiners that decide by this machine's copy of the plan: PostgreSQL has not answered since"
    " they started, and another plan may be active.",
    multiprocess_mode="livesum",
)
PLAN_ERRORS = Counter("fraud_plan_errors_total", "Attempts to read the active plan that failed.")
LOG_LAG_ROWS = Gauge(
    "fraud_log_lag_rows",
    "Records durable here that PostgreSQL does not have yet.",
    multiprocess_mode="livesum",
)
LOG_LAG_BYTES = Gauge(
    "fraud_log_lag_bytes", "Size of the decision log on disk.", multiprocess_mode="livesum"
)
LOG_LAG_SECONDS = Gauge(
    "fraud_log_lag_seconds",
    "Age of the oldest record that PostgreSQL does not have yet.",
    multiprocess_mode="livemax",
)
FEATURE_PSI = Gauge(
    "fraud_feature_psi",
    "Population stability index of a feature of recent decisions against the training.",
    ["feature"],
    multiprocess_mode="livemostrecent",
)
SCORE_PSI = Gauge(
    "fraud_score_psi",
    "The same of a model's score; the model `ensemble` is the combination.",
    ["model"],
    multiprocess_mode="livemostrecent",
)
CALIBRATION_ERROR = Gauge(
    "fraud_calibration_error",
    "Mean distance between a model's probabilities and the labels that arrived.",
    ["model"],
    multiprocess_mode="livemostrecent",
)
DRIFT_AT = Gauge(
    "fraud_drift_computed_timestamp_seconds",
    "When drift was computed last, seconds since 1970.",
    multiprocess_mode="livemostrecent",
)
DRIFT_ERRORS = Counter("fraud_drift_errors_total", "Attempts to compute drift that failed.")
LOG_REFUSED = Counter("fraud_log_refused_rows_total", "Decisions not given: no durable record.")
RATE_LIMITED = Counter(
    "fraud_rate_limited_rows_total",
    "Rows over a limit of their key's tier; a request that is refused unread counts as one.",
    ["limit"],
)
LIMITS_LOCAL = Gauge(
    "fraud_rate_limits_local",
    "Ingresses that keep rate limits by themselves: Redis does not answer them.",
    multiprocess_mode="livesum",
)


class _Build:
    """What runs, as labels of a metric that is always 1: to see a roll-out beside other curves."""

    schema_id = ""
    """Of the features that are served here; the ingress, which shows metrics, names it."""

    def collect(self) -> Iterator[Metric]:
        labels = {
            "version": CODE_VERSION,
            "ray": package_version("ray"),
            "python": platform.python_version(),
            "schema": self.schema_id,
        }
        yield InfoMetricFamily("fraud_build", "What this node runs.", labels)


_build = _Build()
REGISTRY.register(_build)


def name_schema(schema_id: str) -> None:
    """Tell the build metric which feature schema this node serves."""
    _build.schema_id = schema_id


_predictions = lru_cache(maxsize=None)(PREDICTIONS.labels)
_decisions = tuple(DECISIONS.labels(str(outcome)) for outcome in OUTCOMES)
_degraded = lru_cache(maxsize=512)(DEGRADED.labels)
_stage = lru_cache(maxsize=64)(STAGE.labels)
_votes = lru_cache(maxsize=256)(VOTES.labels)
_vote_latency = lru_cache(maxsize=64)(VOTE_LATENCY.labels)


class _RecentShare:
    """Share of flagged rows in the last micro-batches, kept as running sums."""

    def __init__(self, batches: int) -> None:
        self._window: deque[tuple[int, int]] = deque([(0, 0)] * batches, maxlen=batches)
        self._flagged = self._rows = 0

    def add(self, flagged: int, rows: int) -> float:
        """Add a micro-batch; the share after it, 0.0 if there are no rows."""
        old_flagged, old_rows = self._window[0]
        self._window.append((flagged, rows))
        self._flagged += flagged - old_flagged
        self._rows += rows - old_rows
        return self._flagged / self._rows if self._rows else 0.0


_recent = _RecentShare(_RECENT_BATCHES)


tally = Tally()
"""What this process has counted and not added yet. Whoever tells it something arms it."""


def observe_stages(stage_ms: dict[str, float]) -> None:
    """Record what one micro-batch spent in each stage (`telemetry.stages`)."""
    for stage, ms in stage_ms.items():
        tally.observe(_stage(stage), ms / 1e3)
    tally.arm()


def observe_vote(variant: str, status: str, elapsed_ms: float, rows: int, flagged: int) -> None:
    """Record one call to a variant.

    Args:
        variant, status, elapsed_ms: see `fraud.decision.Vote`.
        rows: rows that got a score.
        flagged: of those, the ones at or above the plan's lowest threshold.
    """
    tally.count(_votes(variant, status), 1)
    if elapsed_ms > 0:  # it was asked: whoever is spared the wait would make it look quick
        tally.observe(_vote_latency(variant), elapsed_ms / 1e3)
    if rows:
        tally.count(_predictions(variant, "fraud"), flagged)
        tally.count(_predictions(variant, "legitimate"), rows - flagged)
    tally.arm()


def observe_decisions(outcomes: list[int], degraded: list[tuple[str, ...]]) -> None:
    """Record one decided micro-batch: of each row the index into `OUTCOMES`, and why it is
    degraded."""
    n = len(outcomes)
    approved = outcomes.count(0)
    tally.count(_decisions[0], approved)
    if approved < n:
        for index in range(1, len(_decisions)):
            tally.count(_decisions[index], outcomes.count(index))
    tally.count(_predictions("plan", "fraud"), n - approved)
    tally.count(_predictions("plan", "legitimate"), approved)
    if any(degraded):
        for reason, rows in collections.Counter(chain.from_iterable(degraded)).items():
            tally.count(_degraded(reason), rows)
    tally.observe(BATCH_ROWS, n)
    tally.level(DETECTION_RATE, _recent.add(n - approved, n))
    tally.arm()


def exposition() -> bytes:
    """All metrics in Prometheus' text format; of all processes of the node if they share a folder.

    Reads files: call it off the hot path, in a thread.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    registry.register(_Build())
    multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """A killed replica cannot take its gauges with it: `live` modes rely on somebody doing so."""
    pids = {int(p.stem.rpartition("_")[2]) for p in folder.glob("gauge_live*_*.db")}
    for pid in pids:
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
