"""The console as an ASGI app: who may see what, and every error as a page in plain words."""

from __future__ import annotations

from typing import Final
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
from serve_app.console.session import PATH, Session, forget_key, form_token, key_of
from serve_app.console.visit import ForeignForm, Page, Visit
from serve_app.gateway.errors import CallerGone, Unauthenticated
from serve_app.http.exchange import ROUTE, Body, Head
from serve_app.http.lane_app import LaneApp
from serve_app.http.problems import HttpProblem
from serve_app.http.rest import Lifespan

_SAFE: Final = ("GET",)
"""Methods that change nothing; HEAD comes as GET."""


class Site(LaneApp):
    """The console.

    Args:
        parts: what is behind the pages.
        lifespan: what is opened before the first request and closed after the last.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.
    """

    def __init__(
        self, parts: Parts, lifespan: Lifespan | None = None, *, adds_request_id: bool = True
    ) -> None:
        paths: dict[str, dict[str, Page]] = {}
        for each in PAGES:
            paths.setdefault(each.path, {})[each.method] = each
        routes = [Route(path, _Endpoint(path, pages, parts)) for path, pages in paths.items()]
        self._router = Router(routes, redirect_slashes=False, default=_nothing, lifespan=lifespan)
        super().__init__(self._secured, PATH, _placed, adds_request_id=adds_request_id)

    async def _secured(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers that every answer has."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("cache-control", PRIVATE)
            await send(message)

        await self._router(scope, receive, send_on)


class _Endpoint:
    """The pages of one path as an ASGI app."""

    def __init__(self, path: str, pages: dict[str, Page], parts: Parts) -> None:
        self._path = f"{PATH}{path}"
        self._pages = pages
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self._path
        request = Request(scope, receive)
        body = Body(receive, Head(scope["headers"]))
        try:
            response = await self._respond(request, body)
        except CallerGone:
            raise
        except Exception as error:
            response = problem_page(request, error)
        if response.status_code >= 400 and request.method not in _SAFE:
            for name, value in await body.give_up():
                response.headers[name.decode()] = value.decode()
        await response(scope, receive, send)

    async def _respond(self, request: Request, body: Body) -> Response:
        method = request.method
        found = self._pages.get(method)
        if found is None:
            allow = ", ".join(sorted(self._pages)).encode()
            detail = "This page does not support this method"
            raise HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
        if method not in _SAFE and not is_own(request):
            raise ForeignForm
        if not found.is_private:
            return await found.handler(Visit(request, self._parts, body))
        try:
            session = await self._session(request)
        except Unauthenticated as error:
            return _strange(request, error)
        return await found.handler(Visit(request, self._parts, body, session))

    async def _session(self, request: Request) -> Session:
        key = key_of(request)
        principal = await self._parts.authenticate(key)
        principal.require("jobs")
        return Session(principal, form_token(self._parts.pepper, key))


def _strange(request: Request, error: Unauthenticated) -> Response:
    """Answer somebody who is not signed in; the browser forgets a key that is not valid."""
    is_page = request.method in _SAFE and "text/html" in request.headers.get("accept", "")
    answer = go_to(f"/sign-in{_back(request)}") if is_page else problem_page(request, error)
    if key_of(request):
        forget_key(request, answer)
    return answer


def _back(request: Request) -> str:
    path = request.url.path.removeprefix(PATH)
    return f"?{urlencode({'next': path})}" if is_return(path) else ""


def _placed(scope: Scope) -> Scope:
    """Pages have paths below the console's own."""
    path = f"{PATH}/" if scope["path"] == PATH else scope["path"]
    return {**scope, "root_path": PATH, "path": path}


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    response = problem_page(request, NotFound("no such page"))
    await response(scope, receive, send)
