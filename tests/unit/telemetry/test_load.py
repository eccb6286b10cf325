"""Load, and the number of replicas for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from deployments.autoscaling import PROCESSORS, ROWS_IN_FLIGHT, LoadPolicy
from telemetry.load import Load


def test_rows_are_averaged_over_time():
    now, used = [10.0], [1.0]
    load = Load(lambda: now[0], lambda: used[0])
    load.arrived(100)
    now[0] = 11.0
    load.left(100)
    now[0], used[0] = 14.0, 3.0
    assert load.since_last() == pytest.approx((25.0, 0.5))
    now[0] = 15.0
    assert load.since_last() == (0.0, 0.0)


def test_rows_that_stay_count_on():
    now = [0.0]
    load = Load(lambda: now[0], lambda: 0.0)
    load.arrived(7)
    now[0] = 2.0
    assert load.since_last()[0] == 7.0
    now[0] = 3.0
    assert load.since_last()[0] == 7.0


def wanted(rows, processors, target=1):
    metrics = {
        ROWS_IN_FLIGHT: dict(enumerate(rows)),
        PROCESSORS: dict(enumerate(processors)),
    }
    ctx = SimpleNamespace(aggregated_metrics=metrics, target_num_replicas=target, deployment_id="d")
    return LoadPolicy(100, 0.5)(ctx)[0]


def test_the_scarcer_of_rows_and_processors_decides():
    assert wanted([10], [0.1]) == 1
    assert wanted([150], [0.1]) == 2
    assert wanted([10], [0.9]) == 2
    assert wanted([150, 150], [0.9, 0.9]) == 4
    assert wanted([0, 0], [0, 0], target=2) == 1


def test_without_reports_nothing_changes():
    ctx = SimpleNamespace(aggregated_metrics={}, target_num_replicas=3, deployment_id="d")
    assert LoadPolicy()(ctx)[0] == 3
    ctx = SimpleNamespace(aggregated_metrics=None, target_num_replicas=3, deployment_id="d")
    assert LoadPolicy()(ctx)[0] == 3


def test_targets_are_positive():
    with pytest.raises(ValueError, match="above zero"):
        LoadPolicy(0, 1)
