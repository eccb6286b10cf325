"""A closed loop over keep-alive connections: each sends again as soon as it has its answer."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np

from loadtests.wire import Connection, Endpoint, Requests, connect, degraded_in

GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of the loop measured.

    Attributes:
        connections: number of connections.
        requests: requests with a good answer within the measured time.
        per_s: requests a second.
        p50_ms, p90_ms, p99_ms: from the first byte sent to the last byte received, over requests
            that also began within the measured time; NaN if there are none.
        failures: fault -> count, warm-up included.
        client_cpu: cores that this client kept busy, at most 1.0.
        answered: all good answers, warm-up included.
        degraded: number of degraded decisions.
    """

    connections: int
    requests: int
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    failures: dict[str, int]
    client_cpu: float
    answered: int = 0
    degraded: int = 0


async def run(
    endpoint: Endpoint, connections: int, seconds: float, warm_up_s: float = 1.0
) -> Figures:
    """Keep `connections` requests in flight for `seconds`, after a warm-up that does not count.

    Raises:
        OSError: nothing listens there.
        TimeoutError: an answer is missing `GRACE_S` after the end.
    """
    loop = _Loop(endpoint, time.perf_counter() + warm_up_s, seconds)
    pool = await connect(endpoint, connections, loop.answered, loop.broken)
    cpu_before, wall_before = time.process_time(), time.perf_counter()
    loop.start(pool)
    async with asyncio.timeout(warm_up_s + seconds + GRACE_S):
        await loop.finished
    wall = time.perf_counter() - wall_before
    return loop.figures(connections, (time.process_time() - cpu_before) / wall)


async def run_number(
    endpoint: Endpoint, connections: int, number: int, longest_s: float
) -> Figures:
    """Send `number` requests over `connections`.

    Raises:
        OSError: nothing listens there.
        TimeoutError: an answer is missing `GRACE_S` after `longest_s`.
    """
    loop = _Loop(endpoint, time.perf_counter(), longest_s, number)
    pool = await connect(endpoint, connections, loop.answered, loop.broken)
    loop.start(pool)
    async with asyncio.timeout(longest_s + GRACE_S):
        await loop.finished
    return loop.figures(connections, 0.0)


class _Loop:
    """The state that the connections of a run share."""

    def __init__(
        self, endpoint: Endpoint, begin: float, seconds: float, number: float = math.inf
    ) -> None:
        self._requests = Requests(endpoint)
        self._left = number
        self._begin = begin
        self._until = begin + seconds
        self._took_s = array("d")
        self._failures: Counter[str] = Counter()
        self._answered = self._within = 0
        self._degraded = 0
        self._open = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, pool: list[Connection]) -> None:
        """Send the first request on every connection."""
        self._open = len(pool)
        for connection in pool:
            self._send(connection)

    def answered(self, connection: Connection, answer: bytes, now: float) -> None:
        """Check an answer and send the next request."""
        fault = self._requests.fault(answer, connection.expected)
        if fault is not None:
            self._failures[fault] += 1
        else:
            self._answered += 1
            self._degraded += degraded_in(answer)
            if self._begin <= now <= self._until:
                # Requests that began before count too: with a slow app most do.
                self._within += 1
                if connection.since_s >= self._begin:
                    self._took_s.append(now - connection.since_s)
        self._send(connection)

    def broken(self, _: Connection, why: str) -> None:
        """Count a lost connection."""
        self._failures[why] += 1
        self._closed()

    def figures(self, connections: int, client_cpu: float) -> Figures:
        """Return the figures of the run."""
        n = len(self._took_s)
        p50, p90, p99 = np.percentile(self._took_s, (50, 90, 99)) * 1000 if n else (np.nan,) * 3
        return Figures(
            connections,
            self._within,
            self._within / (self._until - self._begin),
            float(p50),
            float(p90),
            float(p99),
            dict(self._failures.most_common()),
            client_cpu,
            self._answered,
            self._degraded,
        )

    def _send(self, connection: Connection) -> None:
        if self._left < 1 or time.perf_counter() >= self._until:
            connection.close()
            self._closed()
            return
        self._left -= 1
        request, expected = self._requests.make()
        connection.send(request, expected, time.perf_counter())

    def _closed(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.finished.done():
            self.finished.set_result(None)
