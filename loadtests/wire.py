"""One keep-alive connection of a client that must be cheap: it shares the machine with what it
measures. Requests go out as bytes that are ready, answers are cut out of the stream by hand, and
the protocol's callbacks drive what happens: no task, no future and no timer for a request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_ONE_DECISION = b'"decision_id":'
_DEGRADED = b'"degraded":true'

Prepare = Callable[[], tuple[bytes, bytes]]
"""Makes a request: its body, and what its answer must contain."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    Attributes:
        url: `http://host:port/path`.
        api_key: sent as X-API-Key; "": none.
        prepare: makes each request.
        rows: decisions that an answer must hold.
    """

    url: str
    api_key: str
    prepare: Prepare
    rows: int = 1

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{self.url}: only http://host:port/path is measured")
        return parts.hostname, parts.port or 80

    @property
    def head(self) -> bytes:
        """The request's head up to the value of Content-Length."""
        parts = urlsplit(self.url)
        lines = [
            f"POST {parts.path or '/'} HTTP/1.1",
            f"Host: {parts.netloc}",
            *([f"X-API-Key: {self.api_key}"] if self.api_key else []),
            "Content-Type: application/json",
            "Content-Length: ",
        ]
        return "\r\n".join(lines).encode()


class Requests:
    """Makes the requests of an endpoint and judges their answers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._head = endpoint.head
        self._prepare = endpoint.prepare
        self._rows = endpoint.rows

    def make(self) -> tuple[bytes, bytes]:
        """A request's bytes, and what its answer must contain."""
        body, expected = self._prepare()
        return b"%b%d%b%b" % (self._head, len(body), _END_OF_HEAD, body), expected

    def fault(self, answer: bytes, expected: bytes) -> str | None:
        """What is wrong with an answer, None if it is right."""
        if answer[9:10] != b"2":
            return f"status {answer[9:12].decode()}"
        if expected not in answer:
            return "the answer is not about what was sent"
        if answer.count(_ONE_DECISION) != self._rows:
            return "not every row was decided"
        return None


def degraded_in(answer: bytes) -> int:
    """How many of its decisions are poorer than the plan wants: they were cheaper, too."""
    return answer.count(_DEGRADED)


class Connection(asyncio.Protocol):
    """One connection; at most one request is under way on it.

    Attributes:
        expected: what the answer under way must contain.
        since_s: when what is under way began, by `time.perf_counter`.
    """

    def __init__(
        self,
        answered: Callable[[Connection, bytes, float], None],
        broken: Callable[[Connection, str], None],
    ) -> None:
        self._answered = answered
        self._broken = broken
        self._transport: asyncio.WriteTransport
        self._unread = b""
        self._open = True
        self.expected = b""
        self.since_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are ones by their methods alone.
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, request: bytes, expected: bytes, since_s: float) -> None:
        """Send a request; nothing may be under way."""
        self.expected = expected
        self.since_s = since_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._unread + data if self._unread else data
        try:
            length = length_of(received)
        except ValueError as error:
            self._fail(str(error))
            return
        if length < 0 or len(received) < length:
            self._unread = received
            return
        self._unread = b""
        self._answered(self, received, time.perf_counter())

    def connection_lost(self, _: Exception | None) -> None:
        if self._open:
            self._fail("connection lost")

    def close(self) -> None:
        """Hang up."""
        self._open = False
        self._transport.close()

    def _fail(self, why: str) -> None:
        self.close()
        self._broken(self, why)


async def connect(
    endpoint: Endpoint,
    connections: int,
    answered: Callable[[Connection, bytes, float], None],
    broken: Callable[[Connection, str], None],
) -> list[Connection]:
    """Open connections.

    Args:
        answered: told of each answer and the moment at which its last byte came.
        broken: told why a connection is no longer of use.

    Raises:
        OSError: nobody listens there.
    """
    loop = asyncio.get_running_loop()
    host, port = endpoint.address
    return [
        (await loop.create_connection(lambda: Connection(answered, broken), host, port))[1]
        for _ in range(connections)
    ]


def length_of(received: bytes) -> int:
    """Bytes of the answer that begins `received`; -1 if its head is not complete yet.

    Raises:
        ValueError: it does not say how long it is.
    """
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return -1
    head = received[:end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ValueError("an answer without Content-Length")
    stop = head.find(b"\r\n", at)
    digits = head[at + len(_LENGTH) : stop if stop >= 0 else end]
    return end + len(_END_OF_HEAD) + int(digits)
