"""/v2/health: live while the process answers, ready while it can decide."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from serve_app.gateway.errors import unwrapped
from serve_app.http.routes.request import services

READY_TIMEOUT_S = 1.0
logger = logging.getLogger(__name__)
router = APIRouter()


@router.get("/v2/health/live")
async def live() -> JSONResponse:
    """This process answers."""
    return JSONResponse({"live": True})


@router.get("/v2/health/ready")
async def ready(request: Request) -> JSONResponse:
    """A decision can be made now; 503 in the Open Inference Protocol's shape if not."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            readiness = await services(request).ready()
    except Exception as error:
        # A probe asks again and again: one line, and no values in it.
        logger.warning("not ready: %s", type(unwrapped(error)).__name__)
        body = {"ready": False, "error": "no decision can be made now"}
        return JSONResponse(body, 503, headers={"retry-after": "1"})
    # Decisions go on without PostgreSQL; whoever watches should know that they do.
    troubles = getattr(readiness, "troubles", ())
    return JSONResponse(
        {"ready": True, "degraded": list(troubles)} if troubles else {"ready": True}
    )
