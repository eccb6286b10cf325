"""Counting in bulk adds up to the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Histogram

from serve_app import tally
from serve_app.tally import BulkHistogram, Tally
from tests.contracts.waiting import until

BUCKETS = (0.001, 0.01, 0.1)
amounts = st.one_of(st.sampled_from(BUCKETS), st.floats(0, 1), st.just(float("inf")))


def histogram() -> Histogram:
    return Histogram("h", "h", buckets=BUCKETS, registry=CollectorRegistry())


@given(st.lists(st.lists(amounts, max_size=20), max_size=5))
def test_observations_in_bulk_are_the_same_observations(rounds: list[list[float]]) -> None:
    one_by_one, in_bulk = histogram(), histogram()
    bulk = BulkHistogram(in_bulk)
    for amounts in rounds:
        for amount in amounts:
            one_by_one.observe(amount)
            bulk.observe(amount)
        bulk.flush()
    (expected,), (found,) = one_by_one.collect(), in_bulk.collect()
    for theirs, ours in zip(expected.samples, found.samples, strict=True):
        if theirs.name != "h_created":
            assert (ours.name, ours.labels) == (theirs.name, theirs.labels)
            assert ours.value == pytest.approx(theirs.value)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_metrics_hear_of_requests_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "FLUSH_S", 0.01)
    requests = {"route": "/tally", "status": "200"}
    before = value("fraud_api_requests_total", **requests)
    decided = value("fraud_prediction_latency_seconds_count")
    waited = value("fraud_stage_seconds_sum", stage="wait")
    counts = Tally()
    for _ in range(3):
        counts.began()
    for _ in range(2):
        counts.answered("/tally", "200")
        counts.decided(0.003, {"wait": 1.5})
        counts.ended()
    await until(lambda: value("fraud_api_requests_total", **requests) == before + 2)
    assert value("fraud_api_requests_in_progress") == 1
    assert value("fraud_prediction_latency_seconds_count") == decided + 2
    assert value("fraud_stage_seconds_sum", stage="wait") == pytest.approx(waited + 0.003)
    # Nothing is under way that would run again.
    assert counts._due is None
    counts.ended()
    counts.flush()
    assert value("fraud_api_requests_in_progress") == 0
