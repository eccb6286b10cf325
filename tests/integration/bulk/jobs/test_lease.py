"""Leases in a real PostgreSQL: one runner at a time, and none that has lost its lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, Phase, Unit, claim
from bulk.jobs.state import JobState
from fraud.errors import LeaseLost, StoreUnavailable
from stores.postgres.connect import open_pool
from tests.contracts.jobs import MATCH, STORAGE, new_job
from tests.contracts.pgbouncer import bouncing

FIRST = Unit(Phase.SCORING, 0)


async def insert(pool: asyncpg.Pool, **changes: Any) -> Job:
    return await table.insert(pool, new_job(**changes), retention_days=7, most_open=100)


async def held(pool: asyncpg.Pool, owner: str = "a", lease_s: float = 30.0) -> Lease:
    """A lease on a new job."""
    job = await insert(pool)
    assert await claim(pool, STORAGE, owner, lease_s, job.job_id) is not None
    return Lease(pool, job.job_id, owner, lease_s)


async def test_runners_at_once_never_take_the_same_job(pool: asyncpg.Pool) -> None:
    jobs = [await insert(pool) for _ in range(4)]
    await insert(pool, storage="elsewhere")
    taken = await asyncio.gather(*(claim(pool, STORAGE, f"r{i}", 30) for i in range(8)))
    found = [job.job_id for job in taken if job is not None]
    assert sorted(found) == sorted(job.job_id for job in jobs)


async def test_a_claimed_job_begins_to_read_and_counts_the_attempt(pool: asyncpg.Pool) -> None:
    await insert(pool)
    job = await claim(pool, STORAGE, "a", 0)
    assert job is not None
    assert (job.state, job.attempts) == (JobState.READING, 1)
    again = await claim(pool, STORAGE, "b", 30)  # the lease of "a" is over
    assert again is not None
    assert (again.job_id, again.attempts, again.started_at) == (job.job_id, 2, job.started_at)
    assert await claim(pool, STORAGE, "c", 30) is None


async def test_a_lease_from_before_the_clock_was_set_back_holds_nothing_up(
    pool: asyncpg.Pool,
) -> None:
    lease = await held(pool)
    assert await claim(pool, STORAGE, "b", 30) is None
    await pool.execute("UPDATE jobs SET lease_until = now() + interval '1 hour'")
    taken = await claim(pool, STORAGE, "b", 30)
    assert taken is not None
    assert taken.job_id == lease.job_id
    with pytest.raises(LeaseLost):
        await lease.renew(None)


async def test_tenants_take_turns(pool: asyncpg.Pool) -> None:
    for tenant in ("many", "many", "many", "few"):
        await insert(pool, tenant=tenant)
    turns = [await claim(pool, STORAGE, f"r{i}", 30) for i in range(4)]
    assert [job.tenant for job in turns if job is not None][:2] == ["many", "few"]


@pytest.mark.parametrize(
    "write",
    [
        lambda lease: lease.renew(1.0),
        lambda lease: lease.begin(FIRST),
        lambda lease: lease.done(FIRST),
        lambda lease: lease.failed(FIRST),
        lambda lease: lease.begin_scoring(9, 1, [4, 4]),
        lambda lease: lease.reopen(FIRST),
        lambda lease: lease.rematch(MATCH),
        lambda lease: lease.begin_finishing(),
        lambda lease: lease.end(JobState.FAILED, retention_days=1),
    ],
)
async def test_a_runner_that_lost_its_lease_changes_nothing(
    pool: asyncpg.Pool, write: Callable[[Lease], Coroutine[Any, Any, object]]
) -> None:
    lost = await held(pool, lease_s=0)
    assert await claim(pool, STORAGE, "b", 30, lost.job_id) is not None
    holder = Lease(pool, lost.job_id, "b", 30)
    await holder.begin_scoring(10, 0, [5, 5])
    before = await table.find(pool, "mine", lost.job_id), await holder.units()
    with pytest.raises(LeaseLost):
        await write(lost)
    await lost.give_back([FIRST])
    assert (await table.find(pool, "mine", lost.job_id), await holder.units()) == before
    assert await claim(pool, STORAGE, "c", 30) is None


async def test_rows_of_a_part_count_once(pool: asyncpg.Pool) -> None:
    lease = await held(pool)
    await lease.begin_scoring(11, 1, [5, 4, 1])
    await asyncio.gather(*(lease.done(Unit(Phase.SCORING, part)) for part in (0, 1, 0, 1)))
    job = await table.find(pool, "mine", lease.job_id)
    assert (job.state, job.rows_total, job.rows_failed, job.rows_done) == ("scoring", 11, 1, 9)
    assert [(u.rows, u.done) for u in await lease.units()] == [(5, True), (4, True), (1, False)]


async def test_attempts_are_counted_when_they_begin_and_given_back_in_order(
    pool: asyncpg.Pool,
) -> None:
    lease = await held(pool)
    reading = Unit(Phase.READING)
    assert [await lease.begin(reading) for _ in range(2)] == [1, 2]
    await lease.give_back([reading])
    assert await claim(pool, STORAGE, "b", 30) is not None
    lease = Lease(pool, lease.job_id, "b", 30)
    assert await lease.begin(reading) == 2
    await lease.failed(reading)
    assert [(u.unit, u.failed, u.attempts) for u in await lease.units()] == [(reading, True, 2)]


async def test_the_end_of_a_job_ends_the_lease(pool: asyncpg.Pool) -> None:
    lease = await held(pool)
    await lease.begin_scoring(1, 0, [1])
    await lease.begin_finishing()
    await lease.end(JobState.DONE, retention_days=2, summary={"rows": 1})
    job = await table.find(pool, "mine", lease.job_id)
    assert (job.state, job.summary) == (JobState.DONE, {"rows": 1})
    assert job.finished_at is not None
    assert job.expires_at is not None
    assert (job.expires_at - job.finished_at).days in (1, 2)
    with pytest.raises(LeaseLost):
        await lease.renew(None)


async def test_an_outage_is_no_lost_lease(database_url: str) -> None:
    pool = await open_pool(database_url, size=1, timeout_s=5.0)
    lease = await held(pool)
    await pool.close()
    with pytest.raises(StoreUnavailable):
        await lease.renew(None)


async def test_runners_work_behind_a_pooler(pool: asyncpg.Pool, database_url: str) -> None:
    async with bouncing(database_url) as behind:
        pooled = await open_pool(behind, size=4, timeout_s=10.0)
        try:
            jobs = [await insert(pooled) for _ in range(6)]
            taken = await asyncio.gather(*(claim(pooled, STORAGE, f"r{i}", 30) for i in range(8)))
            found = {job.job_id: f"r{i}" for i, job in enumerate(taken) if job is not None}
            assert found.keys() == {job.job_id for job in jobs}
            leases = [Lease(pooled, job_id, owner, 30) for job_id, owner in found.items()]
            await asyncio.gather(*(lease.begin_scoring(2, 0, [1, 1]) for lease in leases))
            await asyncio.gather(
                *(lease.done(Unit(Phase.SCORING, part)) for lease in leases for part in (0, 1))
            )
            read = [await table.find(pooled, "mine", job.job_id) for job in jobs]
        finally:
            await pooled.close()
    assert [job.rows_done for job in read] == [2] * len(jobs)
