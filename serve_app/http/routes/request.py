"""A request as the routes see it: who sends it, its body, the answer to it."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request, Response

from serve_app.gateway.auth import Principal
from serve_app.http.exchange import ALWAYS, Body, Head
from serve_app.http.reading.faults import read_json
from serve_app.http.services import Services
from serve_app.http.wire.answers import encode

_HEADERS = {name.decode(): value.decode() for name, value in ALWAYS}


def services(request: Request) -> Services:
    """The parts behind the routes."""
    found: Services = request.app.state.services
    return found


async def principal(request: Request) -> Principal:
    """Who sends the request; raises 401 or 503."""
    head = Head(request.scope["headers"])
    return await services(request).authenticate(head.credential)


async def json_body(request: Request, max_bytes: int | None = None) -> Any:
    """The JSON body, numbers as `faults.Number`; raises 400, 408, 413 or 415."""
    head = Head(request.scope["headers"])
    head.require_json()
    most = services(request).limits.max_body_bytes if max_bytes is None else max_bytes
    return read_json(await Body(request.receive, head).read(most))


def answer(document: msgspec.Struct, status: int = 200) -> Response:
    """A document as the answer."""
    return json_answer(encode(document), status)


def json_answer(body: bytes, status: int = 200) -> Response:
    """JSON as the answer."""
    return Response(body, status, headers=_HEADERS, media_type="application/json")
