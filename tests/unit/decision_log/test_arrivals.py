from __future__ import annotations

import asyncio

import pytest

from decision_log.arrivals import Arrivals
from decision_log.entry import MAX_ROWS, decode, encode
from fraud.record import RecordBatch
from tests.contracts.decisions import decision_records, gathered

pytestmark = pytest.mark.virtual_time


def batches(n: int, prefix: str = "t") -> list[RecordBatch]:
    return gathered(decision_records(n, prefix))


def entries(of: list[RecordBatch]) -> list[RecordBatch]:
    """As a shipper reads them from the disk."""
    return [decode(payload) for records in of for payload in encode(records)]


async def test_an_append_has_arrived_with_the_last_of_its_entries() -> None:
    arrivals, written = Arrivals(), batches(2 * MAX_ROWS + 10)
    arrivals.expect(written)
    assert arrivals.rows == 2 * MAX_ROWS + 10
    waiting = asyncio.create_task(arrivals.wait(written, 60))
    parts = entries(written)
    assert len(parts) >= 3
    for records in parts[:-1]:
        arrivals.note(records, frozenset())
    await asyncio.sleep(1)
    assert not waiting.done()
    arrivals.note(parts[-1], frozenset())
    assert await waiting is True
    assert arrivals.rows == 0


async def test_what_arrived_before_the_wait_began() -> None:
    arrivals, written = Arrivals(), batches(3)
    arrivals.expect(written)
    for records in entries(written):
        arrivals.note(records, frozenset())
    assert await arrivals.wait(written, 60) is True
    assert await arrivals.wait(written, 60) is None, "forgotten"


async def test_a_refused_record_never_arrives() -> None:
    arrivals, written, other = Arrivals(), batches(3), batches(2, "o")
    arrivals.expect(written)
    arrivals.expect(other)
    refused = {written[-1].decisions.decision_id[-1]}
    for records in [*entries(other), *entries(written)]:
        arrivals.note(records, refused)
    assert await arrivals.wait(written, 60) is False
    assert await arrivals.wait(other, 60) is True


async def test_a_wait_is_bounded_and_leaves_nothing() -> None:
    arrivals, written = Arrivals(), batches(3)
    arrivals.expect(written)
    began_s = asyncio.get_running_loop().time()
    assert await arrivals.wait(written, 0.5) is None
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.5, abs=0.01)
    assert arrivals.rows == 0
    for records in entries(written):
        arrivals.note(records, frozenset())
    assert arrivals.rows == 0


async def test_a_cancelled_caller_leaves_nothing() -> None:
    arrivals, written = Arrivals(), batches(3)
    arrivals.expect(written)
    waiting = asyncio.create_task(arrivals.wait(written, 60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert arrivals.rows == 0
    arrivals.forget(written)
    assert arrivals.rows == 0
    assert await arrivals.wait(written, 60) is None


async def test_what_was_not_expected() -> None:
    arrivals, written = Arrivals(), batches(3)
    assert not arrivals.are_expected(written)
    arrivals.expect(written)
    assert arrivals.are_expected(written)
    arrivals.forget(written)
    assert not arrivals.are_expected(written)
