"""A closed loop over keep-alive connections: each sends again the moment it has its answer.

The client shares the machine with what it measures, so it must be cheap: requests go out as bytes
that are ready, answers are cut out of the stream by hand, and the protocol's callbacks drive the
loop: no task, no future and no timer for a request.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import numpy as np

GRACE_S = 30.0
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"

Prepare = Callable[[], tuple[bytes, bytes]]
"""Makes a request: its body, and what its answer must contain."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of the loop measured.

    Attributes:
        connections: how many there were.
        requests: answered well within the measured time.
        per_s: those, by seconds.
        p50_ms, p90_ms, p99_ms: from the first byte sent to the last byte received.
        failures: what went wrong -> how often; the warm-up counts too.
        client_cpu: cores that this client kept busy, 1.0 being all it can have.
    """

    connections: int
    requests: int
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    failures: dict[str, int]
    client_cpu: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    Attributes:
        url: `http://host:port/path`.
        api_key: sent as X-API-Key; "": none.
        prepare: makes each request.
    """

    url: str
    api_key: str
    prepare: Prepare

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


async def run(
    endpoint: Endpoint, connections: int, seconds: float, warm_up_s: float = 1.0
) -> Figures:
    """Keep `connections` requests under way for `seconds`, after a warm-up that does not count.

    Raises:
        OSError: nobody listens there.
        TimeoutError: an answer is still out `GRACE_S` after the end.
    """
    loop = asyncio.get_running_loop()
    tally = _Tally(endpoint, time.perf_counter() + warm_up_s, seconds)
    host, port = endpoint.address
    pool = [
        (await loop.create_connection(lambda: _Connection(tally), host, port))[1]
        for _ in range(connections)
    ]
    cpu_before, wall_before = time.process_time(), time.perf_counter()
    for connection in pool:
        connection.send()
    async with asyncio.timeout(warm_up_s + seconds + GRACE_S):
        await asyncio.gather(*[connection.finished for connection in pool])
    wall = time.perf_counter() - wall_before
    return tally.figures(connections, (time.process_time() - cpu_before) / wall)


class _Tally:
    """What the connections of a run share."""

    def __init__(self, endpoint: Endpoint, begin: float, seconds: float) -> None:
        self.begin = begin
        self.until = begin + seconds
        self.took_s = array("d")
        self.failures: Counter[str] = Counter()
        self._head = endpoint.head
        self._prepare = endpoint.prepare

    def request(self) -> tuple[bytes, bytes]:
        """A request's bytes, and what its answer must contain."""
        body, expected = self._prepare()
        return b"%b%d%b%b" % (self._head, len(body), _END_OF_HEAD, body), expected

    def figures(self, connections: int, client_cpu: float) -> Figures:
        n = len(self.took_s)
        p50, p90, p99 = np.percentile(self.took_s, (50, 90, 99)) * 1000 if n else (np.nan,) * 3
        per_s = n / (self.until - self.begin)
        failures = dict(self.failures.most_common())
        return Figures(
            connections, n, per_s, float(p50), float(p90), float(p99), failures, client_cpu
        )


class _Connection(asyncio.Protocol):
    """One connection; while it is open exactly one request is under way on it."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._transport: asyncio.WriteTransport
        self._unread = b""
        self._sent_at = 0.0
        self._expected = b""
        self.finished = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are ones by their methods alone.
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self) -> None:
        """Send the next request, or end if the time is over."""
        if time.perf_counter() >= self._tally.until:
            self._end()
            return
        request, self._expected = self._tally.request()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._unread + data if self._unread else data
        try:
            length = _length(received)
        except ValueError as error:
            self._fail(str(error))
            self._end()
            return
        if length < 0 or len(received) < length:
            self._unread = received
            return
        now = time.perf_counter()
        self._unread = b""
        self._judge(received, now)
        self.send()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.finished.done():
            self._fail("connection lost")
            self.finished.set_result(None)

    def _judge(self, answer: bytes, now: float) -> None:
        tally = self._tally
        status = answer[9:12]
        if status[:1] != b"2":
            self._fail(f"status {status.decode()}")
        elif self._expected not in answer:
            self._fail("the answer is not about what was sent")
        elif self._sent_at >= tally.begin and now <= tally.until:
            tally.took_s.append(now - self._sent_at)

    def _fail(self, why: str) -> None:
        self._tally.failures[why] += 1

    def _end(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
        self._transport.close()


def _length(received: bytes) -> int:
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
