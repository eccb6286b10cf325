"""A file scored in this process, and what is left if that is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow.csv as pc
import pytest
from pydantic import SecretStr

from bulk.engine.progress import Progress
from bulk.files.refused import FileRefused
from bulk.jobs import table
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from cluster.scoring.desk import ScoringDesk, open_desk
from cluster.scoring.file_scoring import FileScoring
from fraud.errors import Overloaded
from settings.settings import Settings
from stores.postgres.connect import connection
from tests.contracts.scored_references import shop_table, store_shop_reference

OPTIONS = JobOptions()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=SecretStr(database_url))


@pytest.fixture
async def desk(settings: Settings, database_url: str) -> AsyncIterator[ScoringDesk]:
    async with connection(database_url) as session:
        await session.execute("DELETE FROM jobs")
        await store_shop_reference(session, settings.home / "artifacts", work=2)
    async with open_desk(settings) as opened:
        yield opened


def written(folder: Path, rows: int) -> Path:
    file = folder / "shop.csv"
    pc.write_csv(shop_table(rows), file)
    return file


def files(settings: Settings) -> list[str]:
    return [path.name for path in (settings.home / "jobs").iterdir() if path.is_dir()]


async def test_progress_ends_with_every_row(
    desk: ScoringDesk, settings: Settings, tmp_path: Path
) -> None:
    scoring = FileScoring(desk, written(tmp_path, 1_000), "mine", OPTIONS)
    told: list[Progress] = []
    match = await scoring.match()
    job = await scoring.run(match, retention_days=1, most_open=1, told=told.append)
    assert (job.state, job.rows_done) == (JobState.DONE, 1_000)
    assert {progress.state for progress in told} >= {"reading", "scoring", "done"}
    assert [p.rows_done for p in told if p.state is JobState.SCORING][-1] == 1_000
    assert (tmp_path / "shop.csv").exists()  # the user's own file is left alone


async def test_an_interrupted_run_cancels_the_job_and_leaves_no_file(
    desk: ScoringDesk, settings: Settings, tmp_path: Path
) -> None:
    scoring = FileScoring(desk, written(tmp_path, 200_000), "mine", OPTIONS)
    match = await scoring.match()
    begun = asyncio.Event()

    def told(progress: Progress) -> None:
        begun.set()

    running = asyncio.create_task(scoring.run(match, retention_days=1, most_open=9, told=told))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    found = await table.find(desk.pool, "mine", scoring.job_id)
    assert (found.state, found.has_files, files(settings)) == (JobState.CANCELLED, False, [])


async def test_a_refused_submission_leaves_nothing(
    desk: ScoringDesk, settings: Settings, tmp_path: Path
) -> None:
    scoring = FileScoring(desk, written(tmp_path, 100), "mine", OPTIONS)
    match = await scoring.match()
    with pytest.raises(Overloaded):
        await scoring.run(match, retention_days=1, most_open=0, told=lambda _: None)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(FileRefused):
        await FileScoring(desk, tmp_path / "empty.csv", "mine", OPTIONS).match()
    assert files(settings) == []
    assert await table.listed(desk.pool, "mine") == []
