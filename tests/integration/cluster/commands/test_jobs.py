"""`quorum jobs` on a table of jobs; `test_score.py` has jobs with results."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.state import JobState
from cluster.cli import run
from stores.postgres.connect import connection
from tests.contracts.jobs import new_job, new_job_id

PROBLEM = '{"code": "file-gone", "detail": "the file is not there any more"}'
NOBODYS = "01a22bf1-6528-7460-9cb1-a6b33a085f69"


@pytest.fixture(autouse=True)
def home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_TENANT", "mine")
    return tmp_path


@pytest.fixture
def jobs(database_url: str) -> list[Job]:
    """A queued job, a younger one that failed, and one of another tenant."""
    made = [
        new_job(job_id=new_job_id(1e9), rows_total=200),
        new_job(job_id=new_job_id(2e9), state=JobState.FAILED),
        new_job(job_id=new_job_id(3e9), tenant="other"),
    ]

    async def insert() -> list[Job]:
        async with connection(database_url) as session:
            await session.execute("DELETE FROM jobs")
            for job in made:
                await table.insert(session, job, retention_days=7, most_open=9)
            await session.execute(
                "UPDATE jobs SET problem = $2 WHERE job_id = $1", made[1].job_id, PROBLEM
            )
            return made

    return asyncio.run(insert())


def output(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_tenants_jobs_are_listed_the_newest_first(
    jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    queued, failed, others = (str(job.job_id) for job in jobs)
    assert run(["jobs", "list", "--json"]) == 0
    assert [job["job_id"] for job in output(capsys)] == [failed, queued]
    assert run(["jobs", "list", "--json", "--limit", "1"]) == 0
    assert [job["job_id"] for job in output(capsys)] == [failed]
    assert run(["jobs", "list", "--tenant", "other"]) == 0
    said = capsys.readouterr().out
    assert others in said
    assert queued not in said


def test_a_job_is_shown_whole(jobs: list[Job], capsys: pytest.CaptureFixture[str]) -> None:
    queued, failed = (str(job.job_id) for job in jobs[:2])
    assert run(["jobs", "show", queued, "--json"]) == 0
    document = output(capsys)
    assert (document["state"], document["options"]["models"]) == ("queued", 3)
    assert document["match"]["chosen"] == ["cards@0123456789ab"]
    assert run(["jobs", "show", failed]) == 0
    said = capsys.readouterr().out
    assert "montant" in said
    assert "the file is not there any more" in said


def test_a_job_is_cancelled_and_one_that_has_ended_stays(
    jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    queued, failed = (str(job.job_id) for job in jobs[:2])
    assert run(["jobs", "cancel", queued]) == 0
    assert capsys.readouterr().out == f"job {queued}: cancelled\n"
    assert run(["jobs", "cancel", failed, "--json"]) == 0
    assert output(capsys)["state"] == "failed"


def test_a_job_that_a_runner_holds_is_told_to_stop(
    jobs: list[Job], database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def take() -> None:
        async with connection(database_url) as session:
            await session.execute(
                "UPDATE jobs SET state = 'scoring', lease_owner = 'one',"
                " lease_until = now() + interval '1 hour' WHERE job_id = $1",
                jobs[0].job_id,
            )

    asyncio.run(take())
    assert run(["jobs", "cancel", str(jobs[0].job_id)]) == 0
    assert "scoring, is being stopped" in capsys.readouterr().out


def test_a_job_that_is_not_done_has_no_result(
    jobs: list[Job], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "out.csv"
    assert run(["jobs", "result", str(jobs[1].job_id), "--out", str(out)]) == 1
    assert "the job is failed: there is no result" in capsys.readouterr().err
    assert not out.exists()


def test_unknown_jobs_are_told(jobs: list[Job], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "show", "no-id"]) == 2
    assert "expected the id of a job" in capsys.readouterr().err
    for unknown in (NOBODYS, str(jobs[2].job_id)):
        assert run(["jobs", "cancel", unknown]) == 1
        assert "no such job" in capsys.readouterr().err
