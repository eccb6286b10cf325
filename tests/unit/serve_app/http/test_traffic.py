"""Metrics of requests."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from serve_app.http.traffic import Traffic
from telemetry.metrics import tally


def value(name: str, **labels: str) -> float:
    tally.flush()
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_as_they_end() -> None:
    of_route = {"route": "/traffic", "status": "200"}
    requests = value("fraud_api_requests_total", **of_route)
    decided = value("fraud_prediction_latency_seconds_count")
    waited = value("fraud_stage_seconds_sum", stage="wait")
    traffic = Traffic()
    for _ in range(3):
        traffic.began()
    for _ in range(2):
        traffic.answered("/traffic", "200")
        traffic.decided(0.003, {"wait": 1.5})
        traffic.ended()
    assert value("fraud_api_requests_in_progress") == 1
    assert value("fraud_api_requests_total", **of_route) == requests + 2
    assert value("fraud_prediction_latency_seconds_count") == decided + 2
    assert value("fraud_stage_seconds_sum", stage="wait") == pytest.approx(waited + 0.003)
    traffic.ended()
    assert value("fraud_api_requests_in_progress") == 0
