"""Work under a lease goes on, and stops, when it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bulk.engine.hold import BEAT_S, work_under
from bulk.jobs.cancelled import Cancelled
from fraud.errors import LeaseLost, StoreUnavailable

pytestmark = pytest.mark.virtual_time


class FakeLease:
    """A lease of 30 s whose renewals do what a function of their number says."""

    lease_s = 30.0

    def __init__(self, answer: Callable[[int], bool] = lambda _: False) -> None:
        self.renewals: list[tuple[float, float | None]] = []
        self._answer = answer

    async def renew(self, rows_per_s: float | None) -> bool:
        self.renewals.append((asyncio.get_running_loop().time(), rows_per_s))
        return self._answer(len(self.renewals))


class Work:
    """Takes so many seconds, and knows whether it was stopped."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.stopped_s: float | None = None

    async def run(self) -> str:
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.stopped_s = asyncio.get_running_loop().time()
            raise
        return "done"


async def test_the_lease_is_renewed_every_second_with_the_speed() -> None:
    lease = FakeLease()
    assert await work_under(lease, Work(3.5).run(), lambda: 7.0) == "done"
    assert [(round(at), speed) for at, speed in lease.renewals] == [(1, 7.0), (2, 7.0), (3, 7.0)]


async def test_a_cancelled_job_stops_at_the_next_renewal() -> None:
    work = Work(100)
    with pytest.raises(Cancelled):
        await work_under(FakeLease(lambda n: n == 3), work.run(), lambda: None)
    assert work.stopped_s == pytest.approx(3 * BEAT_S, abs=0.1)


async def test_work_stops_before_a_lease_ends_whose_renewal_hangs() -> None:
    class Hanging(FakeLease):
        async def renew(self, rows_per_s: float | None) -> bool:
            return await asyncio.Event().wait()

    work = Work(100)
    with pytest.raises(LeaseLost):
        await work_under(Hanging(), work.run(), lambda: None)
    assert work.stopped_s is not None
    assert work.stopped_s < FakeLease.lease_s + BEAT_S


async def test_a_lost_lease_stops_the_work() -> None:
    def lost(_: int) -> bool:
        raise LeaseLost("another runner has it")

    work = Work(100)
    with pytest.raises(LeaseLost):
        await work_under(FakeLease(lost), work.run(), lambda: None)
    assert work.stopped_s is not None


async def test_a_short_outage_is_survived() -> None:
    def down_for_a_while(n: int) -> bool:
        if 2 <= n <= 20:
            raise StoreUnavailable("down")
        return False

    lease = FakeLease(down_for_a_while)
    assert await work_under(lease, Work(60).run(), lambda: None) == "done"


async def test_work_stops_before_an_outage_outlasts_the_lease() -> None:
    def down(_: int) -> bool:
        raise StoreUnavailable("down")

    work = Work(100)
    with pytest.raises(LeaseLost, match="PostgreSQL has not answered"):
        await work_under(FakeLease(down), work.run(), lambda: None)
    assert work.stopped_s is not None
    assert work.stopped_s < FakeLease.lease_s


async def test_errors_of_the_work_come_through_and_a_cancellation_stops_it() -> None:
    async def fail() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await work_under(FakeLease(), fail(), lambda: None)

    work = Work(100)
    running = asyncio.create_task(work_under(FakeLease(), work.run(), lambda: None))
    await asyncio.sleep(2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.stopped_s is not None
