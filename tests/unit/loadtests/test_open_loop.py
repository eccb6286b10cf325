"""The schedule of the open loop, and its figures for a server that stalls."""

from __future__ import annotations

import asyncio
import json
from itertools import count

import pytest

from loadtests.open_loop import Schedule, _Loop
from loadtests.wire import Connection, Endpoint


def endpoint() -> Endpoint:
    numbers = count()
    return Endpoint("http://a/v1", "", lambda: (b"{}", b"t-%d" % next(numbers)))


def right(connection: Connection) -> bytes:
    body = json.dumps({"decision_id": connection.expected.decode()}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Wire(asyncio.WriteTransport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        """There is nothing to close."""


def connected(loop: _Loop) -> tuple[Connection, Wire]:
    connection, wire = Connection(loop.answered, loop.broken), Wire()
    connection.connection_made(wire)
    return connection, wire


def test_starts_are_even_and_none_is_lost_however_late_one_looks() -> None:
    schedule = Schedule(10.0, 4.0, 6)
    assert schedule.due(9.9) == []
    assert schedule.next_s == 10.0
    assert schedule.due(10.6) == [10.0, 10.25, 10.5]
    assert schedule.next_s == 10.75
    assert schedule.due(99.0) == [10.75, 11.0, 11.25]
    assert schedule.next_s is None
    assert schedule.due(99.0) == []


def test_no_error_adds_up() -> None:
    schedule = Schedule(0.0, 1000.0, 1_000_000)
    starts = schedule.due(1e9)
    assert starts[-1] == 999_999 / 1000.0


async def test_whoever_waits_for_a_connection_is_charged_for_it() -> None:
    """One connection, all requests due at once: each waits for those before it."""
    loop = _Loop(endpoint(), per_s=3.0, seconds=1.0, warm_up_s=0.0)
    connection, wire = connected(loop)
    loop.start([connection])
    begin = connection.since_s
    assert len(wire.sent) == 1
    # The server stalls for ten seconds; meanwhile the others were due.
    loop._waiting.extend(loop._schedule.due(begin + 10))
    for _ in range(3):
        loop.answered(connection, right(connection), begin + 10)
    assert len(wire.sent) == 3
    assert loop.finished.done()
    took = sorted(loop._took_s)
    assert took == pytest.approx([10 - 2 / 3, 10 - 1 / 3, 10])
    assert loop.figures(0.0).p50_ms == pytest.approx((10 - 1 / 3) * 1000)


async def test_a_request_without_an_answer_is_a_failure_and_counts_with_its_age() -> None:
    loop = _Loop(endpoint(), per_s=1000.0, seconds=0.002, warm_up_s=0.0)
    connection, _ = connected(loop)
    loop.start([connection])
    loop._schedule.due(connection.since_s + 1)
    await asyncio.sleep(0.01)
    figures = loop.figures(0.0)
    assert figures.failures == {"unanswered": 1}
    assert figures.p50_ms >= 10
    assert figures.answered == 0


async def test_the_warm_up_does_not_count() -> None:
    loop = _Loop(endpoint(), per_s=1.0, seconds=1.0, warm_up_s=1.0)
    connection, _ = connected(loop)
    loop.start([connection])
    loop.answered(connection, right(connection), connection.since_s + 0.5)
    assert (loop.figures(0.0).answered, list(loop._took_s)) == (1, [])


async def test_wrong_answers_and_lost_connections_are_failures() -> None:
    loop = _Loop(endpoint(), per_s=1.0, seconds=1.0, warm_up_s=0.0)
    connection, _ = connected(loop)
    loop.start([connection])
    refused = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    loop.answered(connection, refused, connection.since_s)
    connection.connection_lost(None)
    assert loop.figures(0.0).failures == {"status 503": 1, "connection lost": 1}
    assert loop.finished.done()
