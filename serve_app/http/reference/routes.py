"""/openapi.json and the pages below /docs: the API reference, which needs no key and no network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache

import msgspec
from starlette.responses import Response

from fraud.errors import NotFound
from serve_app.http.reference.assets import NAMES, asset
from serve_app.http.reference.page import GUIDE_POLICY, VIEWER_POLICY, guide_page, viewer_page
from serve_app.http.route import Call, Json, Route, public_route
from serve_app.http.services import RequestLimits

# Clients always revalidate: an upgrade changes pages and files together.
_HEADERS = {
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def reference_routes(document: Callable[[int], Json]) -> tuple[Route, ...]:
    """Return the routes of the reference.

    Args:
        document: most rows of a batch -> the OpenAPI document.
    """

    @cache
    def encoded(max_rows: int) -> bytes:
        return msgspec.json.encode(document(max_rows))

    @cache
    def guide(limits: RequestLimits) -> str:
        return guide_page(document(limits.max_batch_rows), limits)

    @public_route("/openapi.json", "openapi", "This document")
    async def openapi(call: Call) -> Response:
        """Return the OpenAPI 3.1 document."""
        body = encoded(call.services.limits.max_batch_rows)
        return Response(body, media_type="application/json")

    @public_route("/docs", "docs", "The guide", "text/html")
    async def docs(call: Call) -> Response:
        """Return the guide: first calls, and the meaning of the words in answers."""
        return _page(guide(call.services.limits), GUIDE_POLICY)

    @public_route("/docs/api", "viewer", "This document as a page", "text/html")
    async def viewer(call: Call) -> Response:
        """Return the page that shows every call with its fields, to read and to try."""
        return _page(viewer_page(document(call.services.limits.max_batch_rows)), VIEWER_POLICY)

    return openapi, docs, viewer, assets


@Route(
    method="GET",
    path="/docs/assets/{name}",
    operation_id="asset",
    summary="A file of the pages",
    tag="operation",
    scope=None,
    is_listed=False,
    answers={},
)
async def assets(call: Call) -> Response:
    """Return a style sheet, script or icon of the pages."""
    name = call.path("name")
    if name not in NAMES:
        raise NotFound("no such file")
    found = await asyncio.to_thread(asset, name)  # the first call reads up to 2 MB
    headers = {**_HEADERS, "etag": found.etag}
    if found.etag in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _page(html: str, policy: str) -> Response:
    headers = {**_HEADERS, "content-security-policy": policy}
    return Response(html, media_type="text/html", headers=headers)
