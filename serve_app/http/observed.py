"""Any app off the hot path: each request has an id, is counted, and is answered."""

from __future__ import annotations

from starlette.requests import ClientDisconnect

from serve_app.gateway.errors import CallerGone
from serve_app.http.exchange import (
    IS_HEAD,
    REQUEST_ID,
    ROUTE,
    App,
    Head,
    Message,
    Receive,
    Scope,
    Send,
    reply_problem,
)
from serve_app.http.problems import problem_of
from serve_app.http.traffic import Traffic


class ObservedApp:
    """ASGI app around another one.

    Args:
        app: answers; also gets the lifespan.
        traffic: counts the requests.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.
    """

    def __init__(self, app: App, traffic: Traffic, *, adds_request_id: bool) -> None:
        self._app = app
        self._traffic = traffic
        self._adds_request_id = adds_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.serve(self._adds_request_id, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def serve(
        self, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer an HTTP request.

        Args:
            adds_request_id: whether to put X-Request-ID on this answer.
        """
        request_id = Head(scope["headers"]).request_id
        # HEAD is answered like GET: the server, which has the original scope, sends no body.
        is_head = scope["method"] == "HEAD"
        method = "GET" if is_head else scope["method"]
        scope = {**scope, "method": method, REQUEST_ID: request_id, IS_HEAD: is_head}
        status = 0
        self._traffic.began()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if adds_request_id:
                    given = message.get("headers", ())
                    message["headers"] = [*given, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except (CallerGone, ClientDisconnect):
            return
        except Exception as error:
            # Noted in any case: what has begun to be sent is cut off, and only the log says why.
            problem = problem_of(error, request_id)
            if not status:
                await reply_problem(send_on, problem)
        finally:
            self._traffic.ended()
        self._traffic.answered(scope.get(ROUTE, "other"), str(status))
