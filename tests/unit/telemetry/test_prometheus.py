"""What `telemetry/prometheus.py` needs of prometheus-client beyond its documentation. If this fails
after an upgrade, look there before raising the ceiling in pyproject.toml."""

from __future__ import annotations

import math
import subprocess
import sys

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from telemetry.prometheus import observe_many, register_processes, upper_bounds

_PROCESS = """
import os
from prometheus_client import Counter, Gauge, Histogram
Counter("c_total", "c").inc(2)
Gauge("live", "g", multiprocess_mode="livesum").set(3)
Gauge("recent", "g", multiprocess_mode="livemostrecent").set(4)
Histogram("h", "h", buckets=(1.0,)).observe(0.5)
"""


def test_bounds_are_those_of_the_buckets():
    registry = CollectorRegistry()
    labelled = Histogram("h", "h", ["k"], buckets=(0.5, 1.0), registry=registry)
    assert list(upper_bounds(labelled)) == [0.5, 1.0, math.inf]
    assert list(upper_bounds(labelled.labels("a"))) == [0.5, 1.0, math.inf]


def test_many_observations_at_once_are_the_same_as_one_by_one():
    texts = []
    for at_once in (True, False):
        registry = CollectorRegistry()
        histogram = Histogram("h", "h", ["k"], buckets=(0.5, 1.0), registry=registry).labels("a")
        if at_once:
            observe_many(histogram, [2, 0, 1], 3.0)
        else:
            for amount in (0.25, 0.25, 2.5):
                histogram.observe(amount)
        lines = generate_latest(registry).decode().splitlines()
        texts.append([line for line in lines if "_created" not in line])
    assert texts[0] == texts[1]


def test_gauges_of_dead_processes_go_and_their_counters_stay(tmp_path, monkeypatch):
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", _PROCESS],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            check=True,
        )
    assert len(list(tmp_path.glob("gauge_live*_*.db"))) == 4, "files are named as we expect"
    registry = CollectorRegistry()
    register_processes(registry, tmp_path)
    assert registry.get_sample_value("c_total") == 4
    assert registry.get_sample_value("h_bucket", {"le": "1.0"}) == 2
    assert registry.get_sample_value("live") is None
    assert registry.get_sample_value("recent") is None
