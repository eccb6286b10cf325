"""The undocumented parts of prometheus-client that we use, in one place.

Its histograms take one observation at a time, and its files of several processes keep the gauges of
processes that were killed. `tests/unit/telemetry/test_prometheus.py` fails when a release changes
what this module relies on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Histogram, multiprocess


def upper_bounds(histogram: Histogram) -> Sequence[float]:
    """Return the upper bounds of a histogram's buckets, rising; the last one is infinite."""
    bounds: Sequence[float] = histogram._upper_bounds
    return bounds


def observe_many(histogram: Histogram, counts: Sequence[int], total: float) -> None:
    """Add many observations to a histogram at once.

    Args:
        histogram: without labels, or a child of one with labels.
        counts: how many observations fell into each bucket, see `upper_bounds`.
        total: the sum of all observations.
    """
    histogram._sum.inc(total)
    for bucket, count in zip(histogram._buckets, counts, strict=True):
        if count:
            bucket.inc(count)


def register_processes(registry: CollectorRegistry, folder: Path) -> None:
    """Have `registry` show the metrics of all processes that share a folder. Gauges with a `live`
    mode are those of processes that still run, counters and histograms those of all."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            # A process that is killed cannot do this itself.
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
