"""Jobs of the gateway in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from fraud.errors import Conflict, NotFound, StoreUnavailable
from serve_app.gateway.errors import TooManyJobs
from serve_app.gateway.jobs.records import RETRY_S, JobRecords
from stores.postgres.connect import open_pool
from tests.contracts.jobs import MATCH, new_job
from tests.contracts.ports import free_ports

OPTIONS = JobOptions.model_validate({"models": 1})


@pytest.fixture
async def records(database_url: str) -> AsyncIterator[JobRecords]:
    pool = await open_pool(database_url, size=2, timeout_s=10.0)
    await pool.execute("DELETE FROM jobs")
    yield JobRecords(pool, most_open=2, retention_days=3.0)
    await pool.close()


async def test_a_job_is_found_confirmed_and_cancelled_by_its_tenant_alone(
    records: JobRecords,
) -> None:
    job = await records.add(new_job(state=JobState.WAITING))
    assert job.expires_at is not None
    assert (job.expires_at - job.created_at).days in (2, 3)
    assert await records.find("mine", job.job_id) == job
    for call in (
        records.find("other", job.job_id),
        records.confirm("other", job.job_id, OPTIONS, MATCH),
        records.cancel("other", job.job_id),
    ):
        with pytest.raises(NotFound):
            await call
    confirmed = await records.confirm("mine", job.job_id, OPTIONS, MATCH)
    assert (confirmed.state, confirmed.options) == (JobState.QUEUED, OPTIONS)
    with pytest.raises(Conflict):
        await records.confirm("mine", job.job_id, OPTIONS, MATCH)
    assert (await records.cancel("mine", job.job_id)).state is JobState.CANCELLED


async def test_too_many_open_jobs_are_refused_with_a_wait(records: JobRecords) -> None:
    first = await records.add(new_job())
    await records.require_room("mine", 0)
    with pytest.raises(TooManyJobs):
        await records.require_room("mine", 1)
    await records.add(new_job())
    with pytest.raises(TooManyJobs) as refused:
        await records.add(new_job())
    assert (refused.value.most, refused.value.retry_after_s) == (2, RETRY_S)
    await records.add(new_job(tenant="other"))
    await records.cancel("mine", first.job_id)
    await records.require_room("mine", 0)


async def test_the_newest_come_first(records: JobRecords) -> None:
    jobs = [await records.add(new_job()) for _ in range(2)]
    newest = await records.newest("mine", 1, None)
    assert [job.job_id for job in newest] == [jobs[1].job_id]
    older = await records.newest("mine", 5, newest[0].job_id)
    assert [job.job_id for job in older] == [jobs[0].job_id]


async def test_a_dead_postgresql_is_an_unavailable_store() -> None:
    (port,) = free_ports(1)
    pool: asyncpg.Pool = await open_pool(
        f"postgresql://nobody@127.0.0.1:{port}/x", size=1, timeout_s=1.0
    )
    records = JobRecords(pool, 1, 1.0)
    job = new_job()
    for call in (
        records.add(job),
        records.require_room("mine", 0),
        records.find("mine", job.job_id),
        records.newest("mine", 1, None),
        records.confirm("mine", job.job_id, OPTIONS, MATCH),
        records.cancel("mine", job.job_id),
    ):
        with pytest.raises(StoreUnavailable):
            await call
    pool.terminate()
