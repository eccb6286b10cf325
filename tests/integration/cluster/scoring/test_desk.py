"""What the command line opens to score files, and how it is tidied."""

from __future__ import annotations

import time
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from bulk.jobs import table
from bulk.jobs.state import JobState
from bulk.jobs.store import ORPHAN_AGE_S
from cluster.errors import CommandFailed
from cluster.scoring.desk import ScoringDesk, open_desk
from settings.settings import Settings
from tests.contracts.jobs import new_job, new_job_id


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=SecretStr(database_url))


async def stored(desk: ScoringDesk, hours_ago: float) -> str:
    """Insert a job that is done, with files in the desk's store. Return its id."""
    await desk.pool.execute("DELETE FROM jobs")
    job_id = new_job_id(time.time() - hours_ago * 3600)
    job = new_job(job_id=job_id, storage=desk.store.identity(), state=JobState.DONE)
    await table.insert(desk.pool, job, retention_days=7, most_open=1)
    desk.store.make(job_id).upload.write_text("a\n1\n")
    return str(job_id)


def folders(settings: Settings) -> set[str]:
    return {path.name for path in (settings.home / "jobs").iterdir() if path.is_dir()}


async def test_tidying_removes_what_has_expired_and_what_no_job_knows(settings: Settings) -> None:
    older = ORPHAN_AGE_S / 3600 + 1
    async with open_desk(settings) as desk:
        kept = await stored(desk, hours_ago=older)
        fresh, lost = new_job_id(), new_job_id(time.time() - older * 3600)
        for job_id in (fresh, lost):
            desk.store.make(job_id)
        await desk.tidy()
        assert folders(settings) == {kept, str(fresh)}
        await desk.pool.execute("UPDATE jobs SET expires_at = now()")
        await desk.tidy()
        assert folders(settings) == {str(fresh)}


async def test_a_closed_desk_has_no_connection(settings: Settings) -> None:
    async with open_desk(settings) as desk:
        assert await desk.pool.fetchval("SELECT 1") == 1
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        await desk.pool.fetchval("SELECT 1")


async def test_without_a_database_it_is_said_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="DATABASE_URL is not set"):
        async with open_desk(Settings(home=tmp_path, database_url=None)):
            pass
