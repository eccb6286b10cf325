"""Every row has one result, wherever a runner is killed or PostgreSQL is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bulk.engine.job_run import JobRun, Workshop
from bulk.engine.runner import Runner
from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, claim
from bulk.jobs.state import JobState
from bulk.jobs.store import JobStore
from stores.postgres.connect import connection
from tests.contracts.inline_executor import InlineExecutor
from tests.contracts.job_steps import LineSteps, calls, plan_nothing
from tests.contracts.jobs import new_job
from tests.contracts.waiting import until

LINES = [f"row{n}" for n in range(1, 12)]
RESULT = [f"{line} {len(line)}" for line in LINES]


def shop(store: JobStore, **steps: Any) -> Workshop:
    made = LineSteps(rows_per_part=6, **steps)
    return Workshop(store, InlineExecutor(), made, plan_nothing, 7.0, 1 << 30)


async def submitted(pool: asyncpg.Pool, store: JobStore) -> Job:
    job = new_job(storage=store.identity())
    store.make(job.job_id).upload.write_text("\n".join(LINES))
    return await table.insert(pool, job, retention_days=7, most_open=100)


async def require_done(pool: asyncpg.Pool, store: JobStore, job: Job) -> None:
    ended = await table.find(pool, "mine", job.job_id)
    assert (ended.state, ended.rows_done, ended.rows_total) == (JobState.DONE, 11, 11)
    folder = store.paths(job.job_id).folder
    assert store.paths(job.job_id).result.read_text().splitlines() == RESULT
    assert [path.name for path in folder.iterdir()] == ["result.parquet"]


class Killed(BaseException):
    """The process is gone: nothing is given back."""


class DoomedLease(Lease):
    """A lease whose holder is killed at one of its writes.

    Args:
        last: number of the write, from 1.
        is_written: whether it reaches PostgreSQL.
    """

    def __init__(self, *args: Any, last: int, is_written: bool) -> None:
        super().__init__(*args)
        self._left = last
        self._is_written = is_written

    async def _held(self, name: str, *args: object) -> Any:
        if name == "renew_lease":
            return False
        self._left -= 1
        if self._left > 0 or (self._left == 0 and self._is_written):
            found = await super()._held(name, *args)
            if self._left:
                return found
        raise Killed


@pytest.mark.parametrize("is_written", [False, True])
async def test_a_runner_is_killed_at_each_of_its_writes(
    pool: asyncpg.Pool, store: JobStore, is_written: bool
) -> None:
    made, writes = shop(store), 0
    while True:
        writes += 1
        job = await submitted(pool, store)
        claimed = await claim(pool, store.identity(), "doomed", 30, job.job_id)
        assert claimed is not None
        lease = DoomedLease(pool, job.job_id, "doomed", 30, last=writes, is_written=is_written)
        try:
            await JobRun(claimed, lease, made).run()
        except Killed:
            await pool.execute("UPDATE jobs SET lease_until = now()")
            runner = Runner(pool, made, "next")
            await runner.run_next()
            await runner.clear()
            await require_done(pool, store, job)
        else:
            break
    assert writes > 15  # each begin and end of a phase and a part was one


async def test_connections_that_break_in_the_middle_cost_no_row(
    pool: asyncpg.Pool,
    store: JobStore,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bulk.engine.units.RETRY_S", 0.01)
    hold = tmp_path / "hold"
    hold.touch()
    job = await submitted(pool, store)
    running = asyncio.create_task(Runner(pool, shop(store, hold=str(hold)), "r").run_next())
    log = store.paths(job.job_id).folder.with_suffix(".log")
    await until(lambda: log.exists() and "score 0" in calls(store.paths(job.job_id)))
    async with connection(database_url) as session:
        await session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    hold.unlink()
    await running
    await require_done(pool, store, job)
