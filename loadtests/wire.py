"""Keep-alive connections of a cheap HTTP client, which shares the machine with what it measures.

Requests are prepared bytes, answers are cut out of the stream by hand, and asyncio's callbacks
drive everything: no task, future or timer for each request.
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
"""Makes a request: its body, and bytes that its answer must contain."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    Attributes:
        url: `http://host:port/path`.
        api_key: sent as X-API-Key; "" for none.
        prepare: makes each request.
        rows: number of decisions that an answer must contain.
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
            raise ValueError(f"{self.url}: expected http://host:port/path")
        return parts.hostname, parts.port or 80

    @property
    def head(self) -> bytes:
        """Head of a request up to the value of Content-Length."""
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
    """Makes the requests of an endpoint and checks their answers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._head = endpoint.head
        self._prepare = endpoint.prepare
        self._rows = endpoint.rows

    def make(self) -> tuple[bytes, bytes]:
        """Return the bytes of a request, and bytes that its answer must contain."""
        body, expected = self._prepare()
        return b"%b%d%b%b" % (self._head, len(body), _END_OF_HEAD, body), expected

    def fault(self, answer: bytes, expected: bytes) -> str | None:
        """Return what is wrong with an answer, None if it is right."""
        if answer[9:10] != b"2":
            return f"status {answer[9:12].decode()}"
        if expected not in answer:
            return "the answer is for another request"
        if answer.count(_ONE_DECISION) != self._rows:
            return "not every row was decided"
        return None


def degraded_in(answer: bytes) -> int:
    """Count the degraded decisions of an answer. They are cheaper than complete ones."""
    return answer.count(_DEGRADED)


class Connection(asyncio.Protocol):
    """One connection, with at most one request in flight.

    Attributes:
        expected: bytes that the next answer must contain.
        since_s: start of the request in flight, by `time.perf_counter`.
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
        # uvloop's transports have the methods of a WriteTransport, not the base class.
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, request: bytes, expected: bytes, since_s: float) -> None:
        """Send a request; none may be in flight."""
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
        """Close the connection."""
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
        answered: called with each answer and the time of its last byte.
        broken: called with the reason when a connection is lost.

    Raises:
        OSError: nothing listens there.
    """
    loop = asyncio.get_running_loop()
    host, port = endpoint.address
    return [
        (await loop.create_connection(lambda: Connection(answered, broken), host, port))[1]
        for _ in range(connections)
    ]


def length_of(received: bytes) -> int:
    """Return the length of the answer at the start of `received`, -1 if its head is incomplete.

    Raises:
        ValueError: it has no Content-Length.
    """
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return -1
    head = received[:end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ValueError("answer without Content-Length")
    stop = head.find(b"\r\n", at)
    digits = head[at + len(_LENGTH) : stop if stop >= 0 else end]
    return end + len(_END_OF_HEAD) + int(digits)
