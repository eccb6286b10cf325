"""All metrics of a node as the text that Prometheus reads."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version as package_version
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import InfoMetricFamily, Metric

import telemetry.metrics  # noqa: F401 - all of them are shown, counted here or not
from fraud.record import CODE_VERSION
from telemetry.prometheus import register_processes

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Build:
    """The running versions, as labels of a metric that is always 1: shows roll-outs in graphs."""

    schema_id = ""
    """Schema of the features served here; set by the ingress, which shows metrics."""

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
    """Set the feature schema that the build metric shows."""
    _build.schema_id = schema_id


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format; of all processes of the node if they share a
    folder.

    Reads files: call it off the hot path, in a thread.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    registry.register(_build)
    register_processes(registry, Path(folder))
    return generate_latest(registry)
