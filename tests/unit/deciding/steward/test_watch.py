"""When a replica looks, and how long it rests."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from deciding.steward.watch import StewardWatch
from fraud.errors import StoreUnavailable
from telemetry import metrics


class Stewards:
    """A steward whose looks take `takes_s`, and its leadership."""

    def __init__(self) -> None:
        self.has_work = self.leads = True
        self.takes_s = 0.0
        self.fails: Exception | None = None
        self.did: list[str] = []

    async def look(self) -> None:
        await asyncio.sleep(self.takes_s)
        if self.fails is not None:
            raise self.fails
        self.did.append("look")

    def rest(self) -> None:
        self.did.append("rest")

    async def close(self) -> None:
        self.did.append("close")

    async def held(self) -> bool:
        self.did.append("ask")
        return self.leads

    def drop(self) -> None:
        self.did.append("drop")


@pytest.fixture
def both() -> Stewards:
    return Stewards()


@pytest.fixture
def watch(both: Stewards) -> StewardWatch:
    return StewardWatch(both, both, interval_s=0.05)


async def test_the_leader_looks(both: Stewards, watch: StewardWatch):
    assert (await watch.turn()).seconds == 0.05
    assert both.did == ["ask", "look"]


async def test_another_replica_shows_nothing(both: Stewards, watch: StewardWatch):
    both.leads = False
    assert await watch.turn() is None
    assert both.did == ["ask", "rest"]


async def test_without_splits_nobody_needs_the_lock(both: Stewards, watch: StewardWatch):
    both.has_work = False
    assert await watch.turn() is None
    assert both.did == ["drop", "rest"]


async def test_at_most_a_tenth_of_the_time_goes_into_looks(both: Stewards, watch: StewardWatch):
    both.takes_s = 0.02
    assert (await watch.turn()).seconds > 0.17


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (StoreUnavailable("down"), StoreUnavailable),
        (ConnectionResetError(), StoreUnavailable),
        (asyncpg.PostgresError(), StoreUnavailable),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
async def test_failures_are_counted_and_are_outages_or_defects(
    both: Stewards, watch: StewardWatch, error: Exception, seen: type[Exception]
):
    both.fails = error
    before = metrics.GUARD_RAIL_ERRORS._value.get()
    with pytest.raises(seen):
        await watch.turn()
    assert metrics.GUARD_RAIL_ERRORS._value.get() == before + 1


@pytest.mark.virtual_time
async def test_it_looks_again_and_again_until_it_is_closed(both: Stewards, watch: StewardWatch):
    watch.start()
    both.fails = ZeroDivisionError()
    await asyncio.sleep(0.12)
    both.fails = None
    await asyncio.sleep(0.2)
    assert both.did.count("ask") >= 4
    assert "look" in both.did
    assert watch.alive
    await watch.close()
    assert not watch.alive
    assert both.did[-2:] == ["drop", "close"]
