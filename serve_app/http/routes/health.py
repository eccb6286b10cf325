"""/v2/health: live while the process answers, ready while it can decide."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from serve_app.gateway.errors import unwrapped
from serve_app.http.route import Answer, Call, Route, answer

READY_TIMEOUT_S = 1.0
logger = logging.getLogger(__name__)

_NOT_READY = "no decision can be made now"


class LiveOut(Struct, gc=False):
    """Whether the process answers."""

    live: bool


class ReadyOut(Struct, omit_defaults=True, gc=False):
    """Whether decisions can be made."""

    ready: bool
    error: Annotated[str, Meta(description="why decisions cannot be made")] | UnsetType = UNSET
    degraded: (
        Annotated[list[str], Meta(description="failures that do not stop decisions")] | UnsetType
    ) = UNSET


@Route(
    method="GET",
    path="/v2/health/live",
    operation_id="live",
    summary="Whether the process answers",
    tag="operation",
    scope=None,
    answers={200: Answer("Yes", LiveOut, {"live": True})},
)
async def live(_: Call) -> LiveOut:
    """Return that this process answers."""
    return LiveOut(True)


@Route(
    method="GET",
    path="/v2/health/ready",
    operation_id="ready",
    summary="Whether decisions can be made",
    tag="operation",
    scope=None,
    answers={
        200: Answer("Yes", ReadyOut, {"ready": True}),
        503: Answer(
            "No", ReadyOut, {"ready": False, "error": _NOT_READY}, headers=("Retry-After",)
        ),
    },
)
async def ready(call: Call) -> ReadyOut | Response:
    """Return whether a decision can be made now; 503 in the Open Inference Protocol's shape if
    not."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            readiness = await call.services.ready()
    except Exception as error:
        # Probes repeat: one line, and no values in it.
        logger.warning("not ready: %s", type(unwrapped(error)).__name__)
        return answer(ReadyOut(False, _NOT_READY), 503, {"retry-after": "1"})
    # Decisions go on without PostgreSQL; monitoring should see that.
    troubles = getattr(readiness, "troubles", ())
    return ReadyOut(True, degraded=list(troubles)) if troubles else ReadyOut(True)
