"""/metrics: the Prometheus text format."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from serve_app.http.route import Call, public_route
from telemetry.exposition import CONTENT_TYPE


@public_route("/metrics", "metrics", "Metrics for Prometheus", "text/plain")
async def read_metrics(call: Call) -> Response:
    """Return the metrics of this node. No key is needed: none of them names a tenant."""
    body = await asyncio.to_thread(call.services.exposition)
    return Response(body, headers={"content-type": CONTENT_TYPE})
