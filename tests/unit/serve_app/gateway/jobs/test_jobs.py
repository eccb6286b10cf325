"""Jobs as a caller sees them; what HTTP adds is tested with the routes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from bulk.engine.workers.executor import WorkerLost
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from fraud.errors import Conflict, InvalidInput, NotFound, Overloaded
from references.matching.match import Match
from serve_app.gateway.auth import Principal
from serve_app.gateway.errors import CallerGone, MatchRefused, TooManyJobs
from serve_app.gateway.jobs.jobs import progress
from tests.contracts.job_front import CENTS, CSV, NOW, JobFront, match_of

ACME = Principal("k1", "acme", "standard")
OPTIONS = JobOptions.model_validate({})


@pytest.fixture
def front(tmp_path: Path) -> JobFront:
    return JobFront(tmp_path)


async def submitted(front: JobFront, name: str = "a.csv", **options: object) -> Job:
    async with front.jobs.draft(ACME) as draft:
        draft.paths.upload.write_bytes(CSV)
        return await front.jobs.submit(draft, name, JobOptions.model_validate(options))


async def test_a_draft_that_is_not_submitted_leaves_nothing(front: JobFront) -> None:
    async with front.jobs.draft(ACME) as draft:
        draft.paths.upload.write_bytes(CSV)
        assert front.files() != []
    assert front.files() == []


async def test_a_draft_of_a_task_that_is_cancelled_leaves_nothing(front: JobFront) -> None:
    opened = asyncio.Event()

    async def upload() -> None:
        async with front.jobs.draft(ACME) as draft:
            draft.paths.upload.write_bytes(CSV)
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert front.files() == []
    assert (await submitted(front)).state is JobState.QUEUED


async def test_a_caller_that_leaves_while_the_file_is_matched_leaves_nothing(
    front: JobFront,
) -> None:
    async with front.jobs.draft(ACME, has_left=lambda: front.examined != []) as draft:
        draft.paths.upload.write_bytes(CSV)
        with pytest.raises(CallerGone):
            await front.jobs.submit(draft, "a.csv", OPTIONS)
    assert (front.files(), front.table.jobs) == ([], {})


async def test_drafts_count_and_stop_counting(front: JobFront) -> None:
    front.table.most_open = 2
    async with front.jobs.draft(ACME), front.jobs.draft(ACME):
        with pytest.raises(TooManyJobs):
            async with front.jobs.draft(ACME):
                raise AssertionError("there is no room")
        async with front.jobs.draft(Principal("k2", "rival", "standard")):
            pass
    async with front.jobs.draft(ACME):
        pass


async def test_the_size_that_a_caller_announces_counts(front: JobFront) -> None:
    with pytest.raises(Overloaded):
        async with front.jobs.draft(ACME, announced_bytes=1 << 62):
            raise AssertionError("the disk is smaller")
    assert front.files() == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("march.csv", "march.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\march.csv", "march.csv"),
        ("a\x00b\r\nc\u202ed.csv", "abcd.csv"),
        ("", "file"),
        ("/", "file"),
        ("x" * 10_000, "x" * 255),
    ],
)
async def test_a_file_name_is_shown_and_leads_nowhere(
    front: JobFront, given: str, shown: str
) -> None:
    job = await submitted(front, given)
    assert job.file_name == shown
    assert front.files()[0] == str(job.job_id)


async def test_a_job_waits_where_something_is_to_confirm(front: JobFront) -> None:
    front.match = match_of(proposed=CENTS)
    assert (await submitted(front)).state is JobState.WAITING
    front.match = match_of()
    assert (await submitted(front, confirm=False)).state is JobState.WAITING
    assert front.woken == 0
    assert (await submitted(front)).state is JobState.QUEUED
    assert front.woken == 1


async def test_a_refusal_holds_the_match(front: JobFront) -> None:
    front.match = match_of(fits=False)
    with pytest.raises(MatchRefused) as refused:
        await submitted(front)
    assert refused.value.match == front.match


async def test_a_model_that_is_not_there_is_a_wrong_option(front: JobFront) -> None:
    job = await submitted(front, confirm=False)
    front.match = NotFound("no such reference")
    with pytest.raises(InvalidInput) as refused:
        await submitted(front, model=["cards@0123456789ab"])
    assert refused.value.errors[0][:2] == ("/options/model", "unknown")
    with pytest.raises(InvalidInput):
        await front.jobs.confirm("acme", job.job_id, {"model": ["cards@0123456789ab"]})


async def test_only_a_job_that_waits_is_confirmed(front: JobFront) -> None:
    job = await submitted(front)
    with pytest.raises(Conflict, match="queued"):
        await front.jobs.confirm("acme", job.job_id, {})


async def test_a_job_is_matched_once_at_a_time(front: JobFront) -> None:
    job = await submitted(front, confirm=False)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> Match:
        reached.set()
        await go_on.wait()
        return match_of()

    front.match_again = slow  # type: ignore[assignment]
    first = asyncio.create_task(front.jobs.confirm("acme", job.job_id, {"models": 2}))
    await reached.wait()
    with pytest.raises(Conflict):
        await front.jobs.confirm("acme", job.job_id, {"models": 1})
    go_on.set()
    assert (await first).options.models == 2


async def test_a_process_that_is_lost_with_the_file_is_not_now(front: JobFront) -> None:
    job = await submitted(front, confirm=False)
    front.match = WorkerLost("killed")
    with pytest.raises(Overloaded):
        await submitted(front)
    with pytest.raises(Overloaded):
        await front.jobs.confirm("acme", job.job_id, {"models": 2})
    assert {path.split("/")[0] for path in front.files()} == {str(job.job_id)}


async def test_files_of_all_tenants_are_bounded(tmp_path: Path) -> None:
    front = JobFront(tmp_path, at_once=2)
    job = await submitted(front, confirm=False)
    async with front.jobs.draft(ACME), front.jobs.draft(Principal("k2", "rival", "standard")):
        with pytest.raises(Overloaded):
            await submitted(front)
        with pytest.raises(Overloaded):
            await front.jobs.confirm("acme", job.job_id, {"models": 2})
    assert (await submitted(front)).state is JobState.QUEUED


async def test_a_job_that_ends_while_it_is_confirmed_stays_ended(front: JobFront) -> None:
    job = await submitted(front, confirm=False)
    front.match = match_of()
    match_again = front.match_again

    async def meanwhile(*arguments: object) -> object:
        front.table.change(job.job_id, state=JobState.CANCELLED)
        return await match_again(*arguments)  # type: ignore[arg-type]

    front.match_again = meanwhile  # type: ignore[method-assign, assignment]
    with pytest.raises(Conflict):
        await front.jobs.confirm("acme", job.job_id, {"models": 1})
    assert front.woken == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None)),
        ({"rows_total": 0}, (1.0, None)),
        ({"rows_total": 10, "rows_done": 5}, (0.5, None)),
        ({"rows_total": 10, "rows_done": 5, "rows_per_s": 2.5}, (0.5, 2.0)),
        ({"rows_total": 10, "rows_done": 4, "rows_failed": 1, "rows_per_s": 5.0}, (0.5, 1.0)),
        ({"rows_total": 10, "rows_done": 12, "rows_per_s": 2.5}, (1.0, 0.0)),
        (
            {"rows_total": 10, "rows_done": 10, "rows_per_s": 2.5, "state": JobState.DONE},
            (1.0, None),
        ),
    ],
)
def test_progress(fields: dict[str, object], expected: tuple[float | None, ...]) -> None:
    job = Job(
        **{
            "job_id": UUID(int=1),
            "tenant": "acme",
            "file_name": "a.csv",
            "source": "upload",
            "storage": "here",
            "state": JobState.SCORING,
            "options": OPTIONS,
            "bytes": 1,
            "created_at": NOW,
            **fields,
        }  # type: ignore[arg-type]
    )
    assert progress(job) == expected
