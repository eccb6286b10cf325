"""One HTTP exchange on raw ASGI: the headers of a request, its capped body, the reply."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from serve_app.gateway.errors import CallerGone
from serve_app.http.problems import MEDIA_TYPE, Headers, HttpProblem, Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = b"application/json"
BODY_TIMEOUT_S = 15.0
MAX_DISCARD_BYTES = 8 * 1024 * 1024
"""How much of a refused body is read, so that a client that is still sending gets the answer."""

REQUEST_ID = "quorum.request_id"
"""Key of the ASGI scope that holds the request's id."""

ROUTE = "quorum.route"
"""Key of the ASGI scope that holds the path of the route, with its parameters in braces; absent if
no route matches."""

LEAST_BYTES = 64 * 1024
"""A long body must go on by so much in the time that a client may be silent: one that sends a byte
a minute would hold a connection and a job for good."""

IS_HEAD = "quorum.is_head"
"""Key of the ASGI scope: the client asked for the head of an answer alone."""

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
CLOSE: Headers = ((b"connection", b"close"),)
"""Sent where a body was given up: its rest may still arrive on the connection."""
ALWAYS: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Headers of every answer about decisions and of every error."""


class Head:
    """The headers that matter.

    Attributes:
        request_id: the client's `X-Request-ID` if it is 1-128 visible ASCII characters, else a
            fresh one.
        api_key, authorization, content_type, content_length, content_encoding: as sent, or None.
    """

    __slots__ = (
        "api_key",
        "authorization",
        "content_encoding",
        "content_length",
        "content_type",
        "request_id",
    )

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        get = dict(headers).get  # the last of a repeated header
        self.api_key = get(b"x-api-key")
        self.authorization = get(b"authorization")
        self.content_type = get(b"content-type")
        self.content_length = get(b"content-length")
        self.content_encoding = get(b"content-encoding")
        request_id = get(b"x-request-id")
        if request_id is not None and _REQUEST_ID.fullmatch(request_id):
            self.request_id = request_id.decode("ascii")
        else:
            self.request_id = os.urandom(16).hex()

    @property
    def credential(self) -> str:
        """The API key as it was sent, "" if none was: `X-API-Key`, else `Authorization: Bearer`."""
        if self.api_key is not None:
            return self.api_key.decode("latin-1").strip()
        if self.authorization is not None:
            scheme, _, token = self.authorization.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return token.strip()
        return ""

    def require_json(self) -> None:
        """Raise HttpProblem (415) unless the headers announce plain JSON."""
        if self.content_type == JSON and self.content_encoding is None:
            return
        media_type = (self.content_type or b"").partition(b";")[0].strip().lower()
        if media_type != JSON:
            raise HttpProblem("unsupported-media-type", "Send `Content-Type: application/json`")
        self.refuse_encoding()

    def refuse_encoding(self) -> None:
        """Raise HttpProblem (415) if the body is announced as compressed."""
        if self.content_encoding not in (None, b"", b"identity"):
            raise HttpProblem("unsupported-media-type", "Send no `Content-Encoding`")


class Body:
    """A request body, read once and capped."""

    __slots__ = ("_announced", "_finished", "_receive")

    def __init__(self, receive: Receive, head: Head) -> None:
        self._receive = receive
        self._finished = False
        length = head.content_length
        self._announced = int(length) if length is not None and length.isdigit() else 0

    async def read(self, max_bytes: int) -> bytes:
        """Return the whole body.

        Raises:
            HttpProblem: 413 past `max_bytes`, 408 if it does not arrive in time.
            CallerGone: the client went away.
        """
        if self._announced > max_bytes:
            raise _too_large(max_bytes)
        chunk = b""
        if self._has_arrived():
            chunk = (await self._next()).get("body", b"")
        if not self._finished:
            chunk = await self._read_on(chunk, max_bytes)
        if len(chunk) > max_bytes:
            raise _too_large(max_bytes)
        return chunk

    async def chunks(self, max_bytes: int, silence_s: float) -> AsyncIterator[bytes]:
        """Yield the body piece by piece, as it comes.

        Args:
            max_bytes: most bytes of the whole body.
            silence_s: longest time in which fewer than `LEAST_BYTES` come, seconds.

        Raises:
            HttpProblem: 413 past `max_bytes`, 408 if the client falls silent or nearly so.
            CallerGone: the client went away.
        """
        if self._announced > max_bytes:
            raise _too_large(max_bytes)
        size, since = 0, 0
        # Only waiting counts: what the reader does with a piece is not the client's time.
        left_s = silence_s
        clock = asyncio.get_running_loop().time
        while not self._finished:
            began = clock()
            try:
                async with asyncio.timeout(left_s):
                    chunk = (await self._next()).get("body", b"")
            except TimeoutError:
                self._finished = True
                detail = f"Too little of the body arrived in {silence_s:g} seconds"
                raise HttpProblem("timeout-reading-body", detail, CLOSE) from None
            size, since = size + len(chunk), since + len(chunk)
            left_s -= clock() - began
            if since >= LEAST_BYTES:
                since, left_s = 0, silence_s
            if size > max_bytes:
                raise _too_large(max_bytes)
            yield chunk

    @property
    def is_read(self) -> bool:
        """Whether nothing more of it comes."""
        return self._finished

    @property
    def announced(self) -> int:
        """The size of the body that the head announces; 0 if it does not."""
        return self._announced

    def client_has_left(self) -> bool:
        """Return whether the connection is known to be closed. uvicorn notes that on the request
        that `receive` belongs to; with other servers no client ever seems to leave."""
        request = getattr(self._receive, "__self__", None)
        return bool(getattr(request, "disconnected", False))

    async def give_up(self) -> Headers:
        """Discard the rest of a body that an error has made useless.

        Returns:
            Headers of the answer: the connection is closed if there is still more, so that a client
            that goes on sending learns at once that it is in vain.
        """
        await self.discard()
        return () if self.is_read else CLOSE

    async def discard(self) -> None:
        """Read and drop the rest, up to a limit; nothing if the body was late."""
        if self._announced > MAX_DISCARD_BYTES:
            return
        left = MAX_DISCARD_BYTES
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while not self._finished and left > 0:
                    left -= len((await self._next()).get("body", b""))
        except (TimeoutError, CallerGone):
            return

    async def _read_on(self, chunk: bytes, max_bytes: int) -> bytes:
        chunks = [chunk]
        size = len(chunk)
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while not self._finished:
                    chunk = (await self._next()).get("body", b"")
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > max_bytes:
                        raise _too_large(max_bytes)
        except TimeoutError:
            self._finished = True
            detail = f"The body must arrive within {BODY_TIMEOUT_S:g} seconds"
            raise HttpProblem("timeout-reading-body", detail, CLOSE) from None
        return b"".join(chunks)

    def _has_arrived(self) -> bool:
        """Return whether the next message is known to have arrived, which saves a timer; see
        `client_has_left`."""
        request = getattr(self._receive, "__self__", None)
        arrived = getattr(request, "message_event", None)
        return arrived is not None and bool(arrived.is_set())

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._finished = True
            raise CallerGone
        self._finished = not message.get("more_body", False)
        return message


async def reply(
    send: Send, status: int, body: bytes, media_type: bytes = JSON, headers: Headers = ()
) -> None:
    """Send a whole answer."""
    length = (b"content-length", b"%d" % len(body))
    head = [(b"content-type", media_type), length, *ALWAYS, *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def reply_problem(send: Send, problem: Problem, headers: Headers = ()) -> None:
    """Send an error as application/problem+json."""
    await reply(send, problem.status, problem.body(), MEDIA_TYPE, problem.headers + headers)


def _too_large(max_bytes: int) -> HttpProblem:
    return HttpProblem("body-too-large", f"The body may have at most {max_bytes} bytes")
