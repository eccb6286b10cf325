"""Prometheus metrics of a comparison app: the processes of one app share a folder."""

from __future__ import annotations

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from fraud.decision import OUTCOMES, DecisionBatch

_BUCKETS_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5)

REQUESTS = Counter("bench_requests_total", "Requests by status.", ["status"])
LATENCY = Histogram("bench_request_seconds", "From arrival to answer.", buckets=_BUCKETS_S)
DECISIONS = Counter("bench_decisions_total", "Decisions by outcome.", ["outcome"])
PREDICTIONS = Counter("bench_predictions_total", "Rows scored, by model.", ["model"])

_outcomes = [DECISIONS.labels(str(outcome)) for outcome in OUTCOMES]
_ok = REQUESTS.labels("200")


def observe(decided: DecisionBatch, seconds: float) -> None:
    """Count an answered request."""
    _ok.inc()
    LATENCY.observe(seconds)
    for outcome in decided.outcome:
        _outcomes[outcome].inc()
    for vote in decided.votes:
        PREDICTIONS.labels(vote.variant).inc(len(decided))


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
