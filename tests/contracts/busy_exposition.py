"""Shows all metrics of a process that has counted something under each.

    python -m tests.contracts.busy_exposition PORT

Run in a process of its own: metrics are global.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from telemetry import exposition, metrics

LABELS = {
    "status": ("200", "503", "ok", "late"),
    "result": ("taken", "refused"),
    "label": ("fraud",),
}
"""Values that queries ask for; other labels get one of no meaning."""


def count() -> None:
    """Count one event under every metric and label."""
    for collector in set(REGISTRY._names_to_collectors.values()):
        if not getattr(collector, "_name", "").startswith("fraud_"):
            continue
        names = collector._labelnames
        choices = max((LABELS.get(name, ("x",)) for name in names), key=len, default=("x",))
        for choice in choices:
            values = [choice if name in LABELS else "x" for name in names]
            _one(collector.labels(*values) if names else collector)
    metrics.observe_decisions([0, 3], [(), ("rules_only",)])


def _one(metric: object) -> None:
    if isinstance(metric, Counter):
        metric.inc()
    elif isinstance(metric, Histogram):
        metric.observe(0.004)
    elif isinstance(metric, Gauge):
        metric.set(1)


class Page(BaseHTTPRequestHandler):
    """`/metrics`, as the ingress answers it; each look counts once more."""

    def do_GET(self) -> None:
        count()
        text = exposition.exposition()
        self.send_response(200)
        self.send_header("content-type", exposition.CONTENT_TYPE)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    exposition.name_schema("x")
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
