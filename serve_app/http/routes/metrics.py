"""/metrics: the Prometheus text format."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from serve_app.http.route import Answer, Call, Route
from telemetry.exposition import CONTENT_TYPE


@Route(
    method="GET",
    path="/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    tag="operation",
    needs_key=False,
    answers={200: Answer("Metrics for Prometheus", media_type="text/plain")},
)
async def read_metrics(call: Call) -> Response:
    """Return the metrics of this node. No key is needed: none of them names a tenant."""
    body = await asyncio.to_thread(call.services.exposition)
    return Response(body, headers={"content-type": CONTENT_TYPE})
