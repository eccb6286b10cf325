"""The table of jobs in a real PostgreSQL."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, claim
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from fraud.errors import Conflict, NotFound, Overloaded
from tests.contracts.jobs import MATCH, STORAGE, new_job, new_job_id


async def insert(pool: asyncpg.Pool, job: Job | None = None, most_open: int = 100) -> Job:
    return await table.insert(pool, job or new_job(), retention_days=7, most_open=most_open)


async def let_expire(pool: asyncpg.Pool, job: Job) -> None:
    await pool.execute("UPDATE jobs SET expires_at = now() WHERE job_id = $1", job.job_id)


async def test_a_job_is_read_back_as_it_was_stored(pool: asyncpg.Pool) -> None:
    job = new_job(options=JobOptions(models=2, convert={"montant": "minor-to-major"}), author="k1")
    stored = await insert(pool, job)
    found = await table.find(pool, "mine", job.job_id)
    assert found == stored
    assert (found.match, found.options, found.author) == (MATCH, job.options, "k1")
    assert found.expires_at is not None
    assert (found.expires_at - found.created_at).days in (6, 7)


async def test_a_job_of_another_tenant_does_not_exist(pool: asyncpg.Pool) -> None:
    job = await insert(pool, new_job(state=JobState.WAITING))
    options = JobOptions()
    for call in (
        table.find(pool, "other", job.job_id),
        table.cancel(pool, "other", job.job_id),
        table.confirm(pool, "other", job.job_id, options, MATCH),
        table.find(pool, "mine", new_job_id()),
    ):
        with pytest.raises(NotFound, match="no such job"):
            await call
    assert await table.listed(pool, "other") == []
    assert await table.find(pool, "mine", job.job_id) == job


async def test_jobs_are_listed_newest_first_in_pages(pool: asyncpg.Pool) -> None:
    jobs = [await insert(pool, new_job(job_id=new_job_id(at_s))) for at_s in (1e9, 3e9, 2e9)]
    first, second, third = (jobs[i].job_id for i in (1, 2, 0))
    page = await table.listed(pool, "mine", limit=2)
    assert [job.job_id for job in page] == [first, second]
    assert [job.match for job in page] == [None, None]  # too large for a list
    rest = await table.listed(pool, "mine", limit=2, before=second)
    assert [job.job_id for job in rest] == [third]


async def test_open_jobs_are_counted_and_limited(pool: asyncpg.Pool) -> None:
    waiting = await insert(pool, new_job(state=JobState.WAITING), most_open=2)
    await insert(pool, most_open=2)
    with pytest.raises(Overloaded, match="2 jobs have not ended"):
        await insert(pool, most_open=2)
    await insert(pool, new_job(tenant="other"), most_open=2)
    assert await table.count_open(pool, "mine") == 2
    await table.cancel(pool, "mine", waiting.job_id)
    assert await table.count_open(pool, "mine") == 1
    await insert(pool, most_open=2)


async def test_a_waiting_job_is_confirmed_once(pool: asyncpg.Pool) -> None:
    job = await insert(pool, new_job(state=JobState.WAITING))
    options = JobOptions(models=1)
    assert await claim(pool, STORAGE, "a", 30) is None
    queued = await table.confirm(pool, "mine", job.job_id, options, MATCH)
    assert (queued.state, queued.options) == (JobState.QUEUED, options)
    with pytest.raises(Conflict, match="it is queued"):
        await table.confirm(pool, "mine", job.job_id, options, MATCH)


async def test_a_job_that_has_expired_is_confirmed_no_more(pool: asyncpg.Pool) -> None:
    job = await insert(pool, new_job(state=JobState.WAITING))
    await let_expire(pool, job)  # its files may be on their way out
    with pytest.raises(NotFound, match="has expired"):
        await table.confirm(pool, "mine", job.job_id, JobOptions(), MATCH)


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.QUEUED])
async def test_a_job_that_nobody_runs_is_cancelled_at_once(
    pool: asyncpg.Pool, state: JobState
) -> None:
    job = await insert(pool, new_job(state=state))
    cancelled = await table.cancel(pool, "mine", job.job_id)
    assert (cancelled.state, cancelled.cancel) == (JobState.CANCELLED, True)
    assert cancelled.finished_at is not None
    assert await table.cancel(pool, "mine", job.job_id) == cancelled
    assert await claim(pool, STORAGE, "a", 30) is None


async def test_a_running_job_learns_that_it_is_cancelled(pool: asyncpg.Pool) -> None:
    job = await insert(pool)
    assert await claim(pool, STORAGE, "a", 30) is not None
    assert not await Lease(pool, job.job_id, "a", 30).renew(None)
    asked = await table.cancel(pool, "mine", job.job_id)
    assert (asked.state, asked.cancel, asked.finished_at) == (JobState.READING, True, None)
    assert await Lease(pool, job.job_id, "a", 30).renew(None)


async def test_a_job_whose_runner_is_gone_is_cancelled_at_once(pool: asyncpg.Pool) -> None:
    job = await insert(pool)
    assert await claim(pool, STORAGE, "a", 0) is not None
    assert (await table.cancel(pool, "mine", job.job_id)).state is JobState.CANCELLED


async def test_a_job_that_has_ended_stays_as_it_is(pool: asyncpg.Pool) -> None:
    job = await insert(pool)
    await claim(pool, STORAGE, "a", 30)
    await Lease(pool, job.job_id, "a", 30).end(JobState.DONE, retention_days=1, summary={"n": 1})
    assert (await table.cancel(pool, "mine", job.job_id)).state is JobState.DONE


async def test_files_of_refused_cancelled_and_expired_jobs_are_cleared(pool: asyncpg.Pool) -> None:
    kept, cancelled, done, elsewhere = [
        await insert(pool, new_job(storage=storage)) for storage in (*[STORAGE] * 3, "elsewhere")
    ]
    for job in (cancelled, elsewhere):
        await table.cancel(pool, "mine", job.job_id)
    assert await claim(pool, STORAGE, "a", 30, done.job_id) is not None
    await Lease(pool, done.job_id, "a", 30).end(JobState.DONE, retention_days=1)
    left = {leftover.job_id: leftover for leftover in await table.to_clear(pool, STORAGE)}
    assert left == {
        cancelled.job_id: table.Leftover(cancelled.job_id, expired=False, is_kept=False),
        done.job_id: table.Leftover(done.job_id, expired=False, is_kept=True),
    }
    await table.files_removed(pool, cancelled.job_id)
    await table.files_trimmed(pool, done.job_id)
    assert await table.to_clear(pool, STORAGE) == []
    assert await table.with_files(pool, STORAGE) == {kept.job_id, done.job_id}

    for job in (kept, cancelled, done):
        await let_expire(pool, job)
    expired = {leftover.job_id for leftover in await table.to_clear(pool, STORAGE)}
    assert expired == {cancelled.job_id, done.job_id}  # `kept` is still to be run
    for job in (kept, cancelled, done):
        await table.forget(pool, job.job_id)
    assert [job.job_id for job in await table.listed(pool, "mine")] == [
        elsewhere.job_id,
        kept.job_id,
    ]


async def test_submissions_and_cancellations_at_once_do_not_interfere(pool: asyncpg.Pool) -> None:
    jobs = await asyncio.gather(*(insert(pool) for _ in range(10)))
    ended = await asyncio.gather(*(table.cancel(pool, "mine", job.job_id) for job in jobs))
    assert {job.state for job in ended} == {JobState.CANCELLED}
