"""Everything but the hot path: declared routes on Starlette's router, every error a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import starlette.routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve_app.gateway.errors import CallerGone
from serve_app.http.exchange import REQUEST_ID, ROUTE, Body, Head, reply_problem
from serve_app.http.problems import HttpProblem, problem_of
from serve_app.http.reference.openapi import ROUTES
from serve_app.http.route import Call, Route, answer
from serve_app.http.services import CommonServices

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def build_rest(
    services: CommonServices,
    lifespan: Lifespan | None = None,
    routes: Iterable[Route] = ROUTES,
) -> starlette.routing.Router:
    """Return the app.

    Args:
        services: the parts behind the routes.
        routes: of one application.
        lifespan: what is opened before the first request and closed after the last.
    """
    paths: dict[str, dict[str, Route]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = route
    endpoints = [_Endpoint(path, methods, services) for path, methods in paths.items()]
    # Of two paths that match, the one without a parameter is meant.
    endpoints.sort(key=lambda endpoint: "{" in endpoint.path)
    found = [starlette.routing.Route(endpoint.path, endpoint) for endpoint in endpoints]
    return _Router(found, redirect_slashes=False, lifespan=lifespan)


class _Router(starlette.routing.Router):
    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().not_found(scope, receive, send)
            return
        problem = HttpProblem("not-found", "There is nothing at this path")
        await reply_problem(send, problem_of(problem, scope.get(REQUEST_ID)))


class _Endpoint:
    """The routes of one path as an ASGI app."""

    def __init__(self, path: str, routes: dict[str, Route], services: CommonServices) -> None:
        self.path = path
        self._routes = routes
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self.path
        head = Head(scope["headers"])
        body = Body(receive, head)
        route = self._routes.get(scope["method"])
        try:
            response = await self._respond(Request(scope, receive), route, head, body)
        except CallerGone:
            raise
        except Exception as error:
            problem = problem_of(error, scope.get(REQUEST_ID))
            takes_files = route is not None and route.form is not None
            await reply_problem(send, problem, await body.give_up() if takes_files else ())
            return
        await response(scope, receive, send)

    async def _respond(
        self, request: Request, route: Route | None, head: Head, body: Body
    ) -> Response:
        if route is None or route.handler is None:
            allow = ", ".join(sorted(self._routes)).encode()
            detail = "This path does not support this method"
            raise HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
        principal = None
        if route.scope is not None:
            principal = await self._services.authenticate(head.credential)
            principal.require(route.scope)
        result = await route.handler(Call(request, self._services, principal, head, body))
        return result if isinstance(result, Response) else answer(result)
