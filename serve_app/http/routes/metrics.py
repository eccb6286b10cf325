"""/metrics: Prometheus' text format."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from serve_app.http.routes.request import services
from telemetry.metrics import CONTENT_TYPE

router = APIRouter()


@router.get("/metrics")
async def read_metrics(request: Request) -> Response:
    """The figures of this node. No key needed: there is no tenant in any of them."""
    body = await asyncio.to_thread(services(request).exposition)
    return Response(body, headers={"content-type": CONTENT_TYPE})
