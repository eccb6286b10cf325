"""The console as an ASGI app: who may see what, and every error as a page in plain words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from fraud.errors import NotFound
from serve_app.console.answers import PRIVATE, SECURITY_HEADERS, go_to
from serve_app.console.origin import is_own
from serve_app.console.parts import Parts
from serve_app.console.problem_page import problem_page
from serve_app.console.routes import PAGES
from serve_app.console.routes.sign_in import is_return
from serve_app.console.session import PATH, Session, form_token, key_of
from serve_app.console.visit import ForeignForm, Page, Visit
from serve_app.gateway.errors import CallerGone, Unauthenticated
from serve_app.http.problems import HttpProblem

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]
_SAFE: Final = ("GET", "HEAD")


class Site:
    """The console.

    Args:
        parts: what is behind the pages.
        lifespan: what is opened before the first request and closed after the last.
    """

    def __init__(self, parts: Parts, lifespan: Lifespan | None = None) -> None:
        paths: dict[str, dict[str, Page]] = {}
        for each in PAGES:
            paths.setdefault(each.path, {})[each.method] = each
        routes = [Route(path, _Endpoint(pages, parts)) for path, pages in paths.items()]
        self._router = Router(routes, redirect_slashes=False, default=_nothing, lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        if not scope.get("root_path"):
            scope = {**scope, "root_path": PATH}  # served without Ray
        if scope["path"] == scope["root_path"]:
            scope = {**scope, "path": f"{PATH}/"}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("cache-control", PRIVATE)
            await send(message)

        await self._router(scope, receive, send_on)


class _Endpoint:
    """The pages of one path as an ASGI app."""

    def __init__(self, pages: dict[str, Page], parts: Parts) -> None:
        self._pages = pages
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except CallerGone:
            return
        except Exception as error:
            response = problem_page(request, error)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        found = self._pages.get(method)
        if found is None:
            allow = ", ".join(sorted(self._pages)).encode()
            detail = "This page does not support this method"
            raise HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
        if method not in _SAFE and not is_own(request):
            raise ForeignForm
        if not found.is_private:
            return await found.handler(Visit(request, self._parts))
        try:
            session = await self._session(request)
        except Unauthenticated:
            if method in _SAFE and "text/html" in request.headers.get("accept", ""):
                return go_to(f"/sign-in{_back(request)}")
            raise
        return await found.handler(Visit(request, self._parts, session))

    async def _session(self, request: Request) -> Session:
        key = key_of(request)
        principal = await self._parts.authenticate(key)
        principal.require("jobs")
        return Session(principal, form_token(self._parts.pepper, key))


def _back(request: Request) -> str:
    path = request.url.path.removeprefix(PATH)
    return f"?{urlencode({'next': path})}" if is_return(path) else ""


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    response = problem_page(request, NotFound("no such page"))
    await response(scope, receive, send)
