"""An application whose requests all take the express lane, whatever their paths below its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from serve_app.http.exchange import App, Receive, Scope, Send
from serve_app.http.observed import ObservedApp
from serve_app.http.traffic import Traffic


class LaneApp:
    """ASGI app around another one: each request has an id and is counted.

    Args:
        app: answers; also gets the lifespan.
        path: prefix of the application.
        placed: the scope of a request -> the one that `app` gets. It must be the same for a request
            that Serve passes on, which names the prefix, and for one that takes the lane.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.

    Attributes:
        express: prefix of paths -> ASGI app for their HTTP requests, with X-Request-ID on the
            answers in any case (`serve_app.http.express`). Serve's own limit of 30 s a request does
            not hold there: a large file takes minutes.
    """

    def __init__(
        self, app: App, path: str, placed: Callable[[Scope], Scope], *, adds_request_id: bool
    ) -> None:
        self._app = app
        self._placed = placed
        self._observed = ObservedApp(app, Traffic(), adds_request_id=adds_request_id)
        self._adds_request_id = adds_request_id
        self.express: dict[str, App] = {path: partial(self._serve, True)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(self._adds_request_id, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(
        self, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await self._observed.serve(adds_request_id, self._placed(scope), receive, send)
