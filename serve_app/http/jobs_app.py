"""The HTTP adapter of bulk scoring as a plain ASGI app. Independent of Ray."""

from __future__ import annotations

from functools import partial

from serve_app.http.exchange import Receive, Scope, Send
from serve_app.http.job_routes import JOB_ROUTES
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.observed import App, ObservedApp
from serve_app.http.rest import Lifespan, build_rest
from serve_app.http.services import JobServices
from serve_app.http.traffic import Traffic


class JobsApp:
    """The ASGI app.

    Args:
        services: the parts behind the routes.
        lifespan: what is opened before the first request and closed after the last.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.

    Attributes:
        express: prefix of paths -> ASGI app for their HTTP requests, with X-Request-ID on the
            answers in any case (`serve_app.http.express`). Serve's own limit of 30 s a request does
            not hold there: a large file takes minutes.
    """

    def __init__(
        self,
        services: JobServices,
        lifespan: Lifespan | None = None,
        *,
        adds_request_id: bool = True,
    ) -> None:
        self._rest = build_rest(services, lifespan, JOB_ROUTES)
        self._observed = ObservedApp(self._rest, Traffic(), adds_request_id=adds_request_id)
        self._adds_request_id = adds_request_id
        self.express: dict[str, App] = {PATH: partial(self._serve, True)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(self._adds_request_id, scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _serve(
        self, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        # The routes are whole paths: the prefix of the application is not taken off them.
        whole = {**scope, "root_path": ""}
        await self._observed.serve(adds_request_id, whole, receive, send)
