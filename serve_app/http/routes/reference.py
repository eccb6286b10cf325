"""/openapi.json and /docs: the reference, complete and without anything from elsewhere."""

from __future__ import annotations

from functools import cache

import msgspec
from fastapi import APIRouter, Request, Response

from serve_app.http.reference.guide import Limits
from serve_app.http.reference.openapi import document
from serve_app.http.reference.page import POLICY, page
from serve_app.http.routes.request import services

router = APIRouter()


@cache
def _json(max_rows: int) -> bytes:
    return msgspec.json.encode(document(max_rows))


@cache
def _html(limits: Limits) -> str:
    return page(document(limits.max_rows), limits)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return Response(_json(services(request).max_batch_rows), media_type="application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The same as a page to read, with a guide."""
    house = services(request)
    limits = Limits(
        house.max_batch_rows,
        house.max_body_bytes,
        house.max_batch_body_bytes,
        house.max_past_days,
        house.max_future_s,
    )
    headers = {
        "content-security-policy": POLICY,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(_html(limits), media_type="text/html", headers=headers)
