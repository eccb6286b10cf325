"""/openapi.json and /docs: the reference, complete and without anything from elsewhere."""

from __future__ import annotations

from functools import cache

import msgspec
from fastapi import APIRouter, Response

from serve_app.openapi import document
from serve_app.reference import page

router = APIRouter()

# Nothing is loaded, from anywhere: the page is text and its own style sheet.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@cache
def _json() -> bytes:
    return msgspec.json.encode(document())


@cache
def _html() -> str:
    return page(document())


@router.get("/openapi.json")
async def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return Response(_json(), media_type="application/json")


@router.get("/docs")
async def docs() -> Response:
    """The same as a page to read."""
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
    return Response(_html(), media_type="text/html", headers=headers)
