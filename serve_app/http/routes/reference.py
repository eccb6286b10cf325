"""/openapi.json and the pages below /docs: the API reference, which needs no key and no network."""

from __future__ import annotations

import asyncio
from functools import cache

import msgspec
from fastapi import APIRouter, Request, Response

from fraud.errors import NotFound
from serve_app.http.reference.assets import NAMES, asset
from serve_app.http.reference.guide import Limits
from serve_app.http.reference.openapi import document
from serve_app.http.reference.page import GUIDE_POLICY, VIEWER_POLICY, guide_page, viewer_page
from serve_app.http.routes.request import services

router = APIRouter()

# Always ask whether a page is still current: an upgrade changes pages and files together.
_HEADERS = {
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@cache
def _json(max_rows: int) -> bytes:
    return msgspec.json.encode(document(max_rows))


@cache
def _guide(limits: Limits) -> str:
    return guide_page(document(limits.max_rows), limits)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return Response(_json(services(request).limits.max_batch_rows), media_type="application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The guide: first calls, and what the words in answers mean."""
    parts = services(request)
    limits = Limits(
        parts.limits.max_batch_rows,
        parts.limits.max_body_bytes,
        parts.limits.max_batch_body_bytes,
        parts.limits.max_past_days,
        parts.limits.max_future_s,
    )
    return _page(_guide(limits), GUIDE_POLICY)


@router.get("/docs/api")
async def viewer(request: Request) -> Response:
    """Every call with its fields, to read and to try."""
    return _page(viewer_page(document()), VIEWER_POLICY)


@router.get("/docs/assets/{name}", include_in_schema=False)
async def assets(request: Request, name: str) -> Response:
    """A style sheet, script or icon of the pages."""
    if name not in NAMES:
        raise NotFound("no such file")
    found = await asyncio.to_thread(asset, name)  # the first call reads up to 2 MB
    headers = {**_HEADERS, "etag": found.etag}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _page(html: str, policy: str) -> Response:
    headers = {**_HEADERS, "content-security-policy": policy}
    return Response(html, media_type="text/html", headers=headers)
