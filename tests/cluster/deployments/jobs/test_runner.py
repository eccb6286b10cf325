"""JobRunner on a Ray node: jobs are found and run, and every row has one result."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.submission import Examiner
from bulk.engine.workers.process_pool import ProcessPool
from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.state import ENDED, JobState
from bulk.jobs.store import JobStore, job_store_of
from cluster.node.node import Node
from models.store.location import StorePlace
from settings.settings import Settings
from stores.postgres.connect import connection
from tests.contracts.jobs import new_job
from tests.contracts.scored_references import expected_scores, shop_table, store_shop_reference
from tests.contracts.waiting import until

ROWS = 220_000
WORK = 4
"""A part takes long enough to be found in the middle of it."""


@pytest.fixture(scope="module", autouse=True)
def environment(quorum_home: Path, database_url: str) -> Iterator[None]:
    """What every process of the node sees."""
    given = {"QUORUM_HOME": str(quorum_home), "DATABASE_URL": database_url}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="module")
def runner(environment: None, node: Node) -> Iterator[Any]:
    """A handle of the deployed JobRunner."""
    from ray import serve

    from deployments.jobs.runner import JobRunner

    handle = serve.run(JobRunner.bind(), name="jobs", route_prefix=None)  # type: ignore[attr-defined]
    yield handle
    serve.delete("jobs")


@pytest.fixture(scope="module")
def settings(environment: None) -> Settings:
    return Settings.load()


async def test_a_killed_worker_costs_no_row(
    runner: Any, settings: Settings, database_url: str, tmp_path: Path
) -> None:
    async with connection(database_url) as session:
        await store_shop_reference(session, Path(settings.home, "artifacts"), work=WORK)
        job, store = await submitted(session, settings, tmp_path)
        await runner.wake.remote()
        killed = await killed_while_scoring(session, job)
        ended = await end_of(session, job)
    assert killed
    assert (ended.state, ended.rows_done, ended.problem) == (JobState.DONE, ROWS, {})
    result = pq.read_table(store.paths(job.job_id).result)
    amounts = result.column("amount").cast("float64").to_numpy()
    np.testing.assert_array_equal(amounts, shop_table(ROWS, 5).column("amount").to_numpy())
    np.testing.assert_allclose(
        result.column("quorum_score_shop").to_numpy(), expected_scores(amounts), rtol=1e-4
    )
    async with connection(database_url) as session:
        attempts = await session.fetch("SELECT phase, attempts, state FROM job_parts")
    assert {row["state"] for row in attempts} <= {"done", "open"}
    assert max(row["attempts"] for row in attempts if row["phase"] == "scoring") == 2


async def test_workers_end_when_there_is_no_work(runner: Any) -> None:
    await until(lambda: not workers())


async def submitted(
    session: asyncpg.Connection, settings: Settings, folder: Path
) -> tuple[Job, JobStore]:
    store = job_store_of(settings)
    job = new_job(tenant=settings.tenant, storage=store.identity())
    paths = store.make(job.job_id)
    pc.write_csv(shop_table(ROWS, seed=5), paths.upload)
    pool = ProcessPool(1)
    try:
        shelf = ReferenceShelf(session, settings.owner_of)
        artifacts = StorePlace.of(settings.artifacts_url, settings)
        examiner = Examiner(shelf, artifacts, pool, 1 << 30)
        match = await examiner.examine(settings.tenant, paths, "shop.csv", JobOptions())
    finally:
        await pool.close()
    made = new_job(job_id=job.job_id, tenant=settings.tenant, storage=store.identity(), match=match)
    return await table.insert(session, made, retention_days=1, most_open=10), store


async def killed_while_scoring(session: asyncpg.Connection, job: Job) -> bool:
    """Kill a worker once a part is scored and others are under way; False if it came too late."""
    async with asyncio.timeout(300):
        while True:
            found = await table.find(session, job.tenant, job.job_id)
            if found.state in ENDED:
                return False
            if found.state is JobState.SCORING and found.rows_done and workers():
                os.kill(workers()[0], signal.SIGKILL)
                return True
            await asyncio.sleep(0.02)


async def end_of(session: asyncpg.Connection, job: Job) -> Job:
    async with asyncio.timeout(300):
        while True:
            found = await table.find(session, job.tenant, job.job_id)
            if found.state in ENDED:
                return found
            await asyncio.sleep(0.1)


def workers() -> list[int]:
    """Processes of job workers on this machine that this test's node runs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::JobWorker"):
            found.append(int(folder.name))
    return found
