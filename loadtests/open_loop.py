"""An open loop: requests begin by a schedule, whether earlier ones have answers or not.

Latency counts from the intended start. A request without a free connection waits for one, and the
wait counts. So a stall is charged for every request that was due meanwhile, where a closed loop
would have stopped sending ("coordinated omission", Tene 2013).
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from loadtests.wire import Connection, Endpoint, Requests, connect, degraded_in

GRACE_S = 10.0
"""Longest wait for answers after the last intended start."""


@dataclass(frozen=True, slots=True)
class OpenFigures:
    """What one run of the open loop measured.

    Attributes:
        offered_per_s: intended starts a second.
        per_s: answers a second within the measured time.
        p50_ms, p90_ms, p99_ms: from the intended start to the last byte received, over every
            request of the measured time; without an answer, its age at the end.
        failures: fault -> count; `unanswered` is one.
        client_cpu: cores that this client kept busy.
        answered: all good answers, warm-up included.
        degraded: number of degraded decisions.
    """

    offered_per_s: float
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    failures: dict[str, int]
    client_cpu: float
    answered: int = 0
    degraded: int = 0


class Schedule:
    """Intended starts at even intervals.

    Args:
        begin_s: of the first, on the caller's clock.
        per_s: starts a second, > 0.
        number: total number of starts.
    """

    def __init__(self, begin_s: float, per_s: float, number: int) -> None:
        self._begin_s = begin_s
        self._per_s = per_s
        self._number = number
        self._taken = 0

    @property
    def next_s(self) -> float | None:
        """Start of the next request, None after the last."""
        if self._taken >= self._number:
            return None
        # Computed from the number, not from the last start, so that errors do not add up.
        return self._begin_s + self._taken / self._per_s

    def due(self, now_s: float) -> list[float]:
        """Take the intended starts up to now that were not taken yet."""
        found = []
        while (start := self.next_s) is not None and start <= now_s:
            found.append(start)
            self._taken += 1
        return found


async def run(
    endpoint: Endpoint,
    per_s: float,
    seconds: float,
    warm_up_s: float = 1.0,
    connections: int = 256,
) -> OpenFigures:
    """Offer `per_s` requests a second for `seconds`, after a warm-up that does not count.

    Raises:
        OSError: nothing listens there.
    """
    loop = _Loop(endpoint, per_s, seconds, warm_up_s)
    pool = await connect(endpoint, connections, loop.answered, loop.broken)
    cpu_before, wall_before = time.process_time(), time.perf_counter()
    loop.start(pool)
    await asyncio.wait([loop.finished], timeout=warm_up_s + seconds + GRACE_S)
    wall = time.perf_counter() - wall_before
    figures = loop.figures((time.process_time() - cpu_before) / wall)
    for connection in pool:
        connection.close()
    return figures


class _Loop:
    """A run: its schedule, free connections, and requests that wait for a connection."""

    def __init__(self, endpoint: Endpoint, per_s: float, seconds: float, warm_up_s: float) -> None:
        self._requests = Requests(endpoint)
        self._per_s = per_s
        self._seconds = seconds
        self._warm_up_s = warm_up_s
        self._free: deque[Connection] = deque()
        self._under_way: set[Connection] = set()
        self._waiting: deque[float] = deque()
        self._took_s = array("d")
        self._in_time = 0
        self._answered = 0
        self._degraded = 0
        self._failures: Counter[str] = Counter()
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, pool: list[Connection]) -> None:
        """Start the schedule now."""
        self._free.extend(pool)
        now = time.perf_counter()
        number = round(self._per_s * (self._warm_up_s + self._seconds))
        self._schedule = Schedule(now, self._per_s, number)
        self._begin = now + self._warm_up_s
        self._until = self._begin + self._seconds
        self._tick()

    def answered(self, connection: Connection, answer: bytes, now: float) -> None:
        """Check an answer; its connection then serves the request that has waited longest."""
        self._under_way.discard(connection)
        fault = self._requests.fault(answer, connection.expected)
        if fault is not None:
            self._failures[fault] += 1
        else:
            self._answered += 1
            self._degraded += degraded_in(answer)
            self._in_time += self._begin <= now <= self._until
            if connection.since_s >= self._begin:
                self._took_s.append(now - connection.since_s)
        if self._waiting:
            self._send(connection, self._waiting.popleft())
            return
        self._free.append(connection)
        self._end_if_over()

    def broken(self, connection: Connection, why: str) -> None:
        """Count a lost connection, with the request in flight on it."""
        self._failures[why] += 1
        self._under_way.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        self._end_if_over()

    def figures(self, client_cpu: float) -> OpenFigures:
        """Return the figures of the run. Requests without an answer count with their age."""
        now = time.perf_counter()
        left = [*(connection.since_s for connection in self._under_way), *self._waiting]
        # Every start of the schedule counts, even if this client never reached it.
        left += self._schedule.due(now)
        took = [*self._took_s, *(now - start for start in left if start >= self._begin)]
        p50, p90, p99 = np.percentile(took, (50, 90, 99)) * 1000 if took else (np.nan,) * 3
        failures = self._failures + Counter({"unanswered": len(left)})
        return OpenFigures(
            self._per_s,
            self._in_time / self._seconds,
            float(p50),
            float(p90),
            float(p99),
            dict(failures.most_common()),
            client_cpu,
            self._answered,
            self._degraded,
        )

    def _tick(self) -> None:
        """Start what is due, and schedule the next call."""
        for start in self._schedule.due(time.perf_counter()):
            if self._free:
                self._send(self._free.popleft(), start)
            else:
                self._waiting.append(start)
        following = self._schedule.next_s
        if following is None:
            self._end_if_over()
        elif not self.finished.done():
            delay = max(0.0, following - time.perf_counter())
            asyncio.get_running_loop().call_later(delay, self._tick)

    def _send(self, connection: Connection, start: float) -> None:
        request, expected = self._requests.make()
        self._under_way.add(connection)
        connection.send(request, expected, start)

    def _end_if_over(self) -> None:
        over = self._schedule.next_s is None and not self._under_way
        # If every connection is lost, nothing can serve the requests that wait.
        stuck = not self._under_way and not self._free
        if (stuck or (over and not self._waiting)) and not self.finished.done():
            self.finished.set_result(None)
