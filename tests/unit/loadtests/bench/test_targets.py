"""Goals and whether they were reached."""

from __future__ import annotations

import math

import pytest

from loadtests.bench.targets import Target, targets
from tests.contracts.bench_results import MEDIANS


def test_goals() -> None:
    found = {target.measure: target for target in targets(MEDIANS, 260.0, math.nan)}
    results = {measure: target.result for measure, target in found.items()}
    assert results == {
        "requests/s at 128 connections, against tuned": "reached",
        "requests/s at 128 connections, against docs": "missed",
        "requests/s at 128 connections, against no-op": "reached",
        "p50 at 1 connection": "reached",
        "p50 at 1 connection, against docs": "reached",
        "p99 at an open-loop 1,000 req/s": "reached",
        "rows/s through /v1/decisions/batch, 500 rows a request": "missed",
        "CPU a decision at 128 connections": "reached",
        "resident memory of a variant replica": "missed",
        "memory growth over the requested decisions": "not measured",
    }
    assert found["requests/s at 128 connections, against docs"].found == pytest.approx(58.0)


def test_a_goal_that_is_met_exactly_is_reached() -> None:
    assert Target("m", 1.0, "x", True, 1.0).result == "reached"
    assert Target("m", 1.0, "x", False, 1.0).result == "reached"
