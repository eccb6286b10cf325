"""The express lane: decisions go from the HTTP server straight to the app.

Serve wraps each request of an ingress in two tasks, a queue and a context, to cancel it with its
client and to count it. That is more work than a decision takes here, and a decision needs none of
it: the coalescer bounds how much waits and for how long, the HTTP server itself waits for requests
in flight before a replica ends, and a client that leaves must not stop the batch that its rows are
in. So Serve does not count decisions as ongoing requests of the ingress;
`fraud_api_requests_total` does. Jobs take the lane for another reason: Serve ends every request
after 30 s, and the upload of a large file takes longer.

Serve calls `middlewares` in each process that serves HTTP, once its app is built, if the
environment has `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=serve_app.http.express:middlewares`.
Without it, and under another route prefix, all requests pass through Serve, with the same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from starlette.middleware import Middleware

from serve_app.http.exchange import App, Head, Receive, Scope, Send

Handlers = Mapping[str, App]

_open: list[tuple[Handlers, Handlers, asyncio.AbstractEventLoop]] = []


def open_lane(handlers: Handlers, prefixes: Handlers | None = None) -> None:
    """Let requests for these paths bypass Serve, in this process and on the running loop.

    Args:
        handlers: path -> ASGI app for HTTP requests that puts X-Request-ID on its answers.
        prefixes: the same for a path and all paths below it.
    """
    _open[:] = [(handlers, prefixes or {}, asyncio.get_running_loop())]


def middlewares() -> list[Middleware]:
    """Return the middlewares around Serve's app: an ExpressLane if one was opened on this loop."""
    # Where user code runs on a loop of its own, its app must not be called on Serve's.
    return [
        Middleware(ExpressLane, handlers=handlers, prefixes=prefixes)
        for handlers, prefixes, loop in _open
        if loop is asyncio.get_running_loop()
    ]


class ExpressLane:
    """ASGI middleware: some paths go to their handlers, everything else goes on to `app`, with one
    request id that all layers behind it use."""

    def __init__(self, app: App, handlers: Handlers, prefixes: Handlers | None = None) -> None:
        self._app = app
        self._handlers = handlers
        self._prefixes = prefixes or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            handler = self._handlers.get(scope["path"]) or self._below(scope["path"])
            if handler is not None:
                await handler(scope, receive, send)
                return
            scope["headers"] = _with_one_request_id(scope["headers"])
        await self._app(scope, receive, send)

    def _below(self, path: str) -> App | None:
        for prefix, handler in self._prefixes.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return handler
        return None


def _with_one_request_id(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with exactly one X-Request-ID, in a form that the app accepts. Serve
    otherwise answers with the client's own, valid or not, and the first of several, while problems
    and the log have another one."""
    request_id = Head(headers).request_id.encode()
    others = [header for header in headers if header[0] != b"x-request-id"]
    return [*others, (b"x-request-id", request_id)]
