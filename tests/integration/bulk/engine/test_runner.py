"""Runners on a real PostgreSQL: every row has one result, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bulk.engine.job_run import JobRun, Workshop
from bulk.engine.progress import Progress
from bulk.engine.runner import Runner
from bulk.engine.workers.executor import Executor, WorkerLost
from bulk.engine.workers.process_pool import ProcessPool
from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, claim
from bulk.jobs.paths import JobPaths
from bulk.jobs.state import JobState
from bulk.jobs.store import ORPHAN_AGE_S, JobStore, job_store_of
from bulk.scoring.plan import ScoringPlan
from fraud.errors import ArtifactsUnavailable, NotFound
from settings.settings import Settings
from tests.contracts.inline_executor import InlineExecutor
from tests.contracts.job_steps import LineSteps, broken, calls, plan_nothing
from tests.contracts.jobs import MATCH, new_job, new_job_id
from tests.contracts.s3 import BUCKET, s3_server
from tests.contracts.waiting import PATIENCE_S, until

LINES = [f"row{n}" for n in range(1, 12)]
RESULT = [f"{line} {len(line)}" for line in LINES]


def shop(store: JobStore, executor: Executor | None = None, **changes: Any) -> Workshop:
    made = Workshop(store, executor or InlineExecutor(), LineSteps(), plan_nothing, 7.0, 1 << 30)
    return replace(made, **changes)


async def submitted(
    pool: asyncpg.Pool, store: JobStore, lines: list[str] | None = None, **changes: Any
) -> Job:
    job = new_job(storage=store.identity(), **changes)
    paths = store.make(job.job_id)
    paths.upload.write_text("\n".join(LINES if lines is None else lines))
    paths.sample.write_text("sample")
    store.keep(job.job_id, paths.upload, paths.sample)
    return await table.insert(pool, job, retention_days=7, most_open=100)


async def found(pool: asyncpg.Pool, job: Job) -> Job:
    return await table.find(pool, "mine", job.job_id)


async def scored(pool: asyncpg.Pool, job: Job, parts: int) -> None:
    """Wait until the first parts of a job are on record as done."""
    done = (
        "SELECT count(*) FROM job_parts"
        " WHERE job_id = $1 AND phase = 'scoring' AND part < $2 AND state = 'done'"
    )
    async with asyncio.timeout(PATIENCE_S):
        while await pool.fetchval(done, job.job_id, parts) < parts:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)


async def run_after_the_lease(pool: asyncpg.Pool, runner: Runner) -> tuple[Job, JobState | None]:
    """End the lease that another runner has, and run the job.

    PostgreSQL may still carry out a renewal of a runner that was killed, or that lives: then the
    lease goes on, and is ended again.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await pool.execute("UPDATE jobs SET lease_until = now()")
            ran = await runner.run_next()
            if ran is not None:
                return ran


async def run_without_clearing(pool: asyncpg.Pool, made: Workshop, job: Job) -> None:
    """Run a job as far as a runner does that is killed right after the end."""
    claimed = await claim(pool, made.store.identity(), "killed", 30, job.job_id)
    assert claimed is not None
    await JobRun(claimed, Lease(pool, job.job_id, "killed", 30), made).run()


def result(store: JobStore, job: Job) -> list[str]:
    paths = store.paths(job.job_id)
    assert store.bring(job.job_id, paths.result)
    return paths.result.read_text().splitlines()


def files(store: JobStore, job: Job) -> list[str]:
    return sorted(path.name for path in store.paths(job.job_id).folder.glob("*"))


async def test_a_job_is_run_to_its_end(pool: asyncpg.Pool, store: JobStore) -> None:
    job = await submitted(pool, store, [*LINES[:5], "bad", *LINES[5:]])
    told: list[Progress] = []
    ran = await Runner(pool, shop(store), "r").run_next(told=told.append)
    assert ran is not None
    assert (ran[0].job_id, ran[1]) == (job.job_id, JobState.DONE)
    assert result(store, job) == RESULT
    ended = await found(pool, job)
    assert (ended.rows_total, ended.rows_done, ended.rows_failed) == (12, 11, 1)
    assert ended.summary == {"rows": {"total": 11}}
    assert told[-1] == Progress(JobState.DONE, 11, 12)
    assert files(store, job) == ["result.parquet"]
    steps = calls(store.paths(job.job_id))
    assert steps[:2] + steps[-1:] == ["read", "check", "finish"]
    assert sorted(steps[2:-1]) == [f"score {part}" for part in range(6)]
    assert await Runner(pool, shop(store), "r").run_next() is None


async def test_a_file_that_fits_nothing_as_a_whole_is_refused_and_removed(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job = await submitted(pool, store, [*LINES, "alien"])
    await Runner(pool, shop(store), "r").run_next()
    refused = await found(pool, job)
    assert (refused.state, refused.problem["code"]) == (JobState.REFUSED, "refused")
    assert refused.match == replace(MATCH, chosen=())
    assert (files(store, job), refused.has_files) == ([], False)


@pytest.mark.parametrize(
    ("step", "how", "detail"),
    [
        ("read", "input", "told to break"),
        ("score 1", "defect", "an unexpected error (ValueError); the log of the runner has more"),
        ("score 1", "full", "No space left on device"),
        ("finish", "defect", "an unexpected error (ValueError); the log of the runner has more"),
    ],
)
async def test_a_job_that_cannot_succeed_fails_with_the_reason(
    pool: asyncpg.Pool,
    store: JobStore,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    how: str,
    detail: str,
) -> None:
    monkeypatch.setattr("bulk.engine.units.RETRY_S", 0.01)
    job = await submitted(pool, store)
    broken(store.paths(job.job_id), step, how, times=9)
    await Runner(pool, shop(store), "r").run_next()
    failed = await found(pool, job)
    assert (failed.state, failed.problem["detail"]) == (JobState.FAILED, detail)
    tries = Counter(calls(store.paths(job.job_id)))[step]
    assert tries == (1 if how == "input" else 3)
    assert files(store, job) == []  # what is left would fill the disk


async def test_a_summary_that_the_table_cannot_hold_ends_the_job(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    class Odd(LineSteps):
        def finish(self, paths: JobPaths, plan: ScoringPlan, job: Job) -> dict[str, Any]:
            return {**super().finish(paths, plan, job), "mean": float("nan")}

    job = await submitted(pool, store)
    ran = await Runner(pool, shop(store, steps=Odd()), "r").run_next()
    assert ran is not None
    assert ran[1] is JobState.FAILED
    assert "ValueError" in (await found(pool, job)).problem["detail"]
    assert await Runner(pool, shop(store), "r").run_next() is None


async def test_what_a_kill_after_the_end_has_left_is_removed_later(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    jobs = [await submitted(pool, store) for _ in range(2)]
    broken(store.paths(jobs[1].job_id), "finish", "input")
    for job in jobs:
        await run_without_clearing(pool, shop(store), job)
        (store.paths(job.job_id).folder / "result.parquet.0f.writing").touch()
        assert "parts" in files(store, job)
    assert await Runner(pool, shop(store), "r").clear() == 2
    assert [files(store, job) for job in jobs] == [["result.parquet"], []]
    assert await Runner(pool, shop(store), "r").clear() == 0


async def test_files_that_cannot_be_removed_hold_up_no_other_job(
    pool: asyncpg.Pool, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await submitted(pool, store) for _ in range(3)]
    for job in jobs:
        await table.cancel(pool, "mine", job.job_id)
    remove = JobStore.remove

    def denied(self: JobStore, job_id: UUID) -> None:
        if job_id == jobs[1].job_id:
            raise PermissionError(13, "denied")
        remove(self, job_id)

    monkeypatch.setattr(JobStore, "remove", denied)
    assert await Runner(pool, shop(store), "r").clear() == 2
    assert [bool(files(store, job)) for job in jobs] == [False, True, False]


async def test_an_outage_of_the_store_of_models_is_waited_for(
    pool: asyncpg.Pool, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.engine.units.RETRY_S", 0.01)
    jobs = [await submitted(pool, store) for _ in range(2)]
    outages = iter(range(5))

    async def plan(job: Job, paths: JobPaths) -> ScoringPlan:
        if job.job_id == jobs[1].job_id or next(outages, None) is not None:
            raise ArtifactsUnavailable("s3://models does not answer")
        return await plan_nothing(job, paths)

    runner = Runner(pool, shop(store, planner=plan), "r")
    await runner.run_next(jobs[0].job_id)
    assert (await found(pool, jobs[0])).state is JobState.DONE
    monkeypatch.setattr("bulk.engine.units.OUTAGE_S", 0.05)
    await runner.run_next(jobs[1].job_id)
    assert (await found(pool, jobs[1])).problem["code"] == "store-unavailable"


async def test_a_part_whose_process_is_killed_is_scored_again(
    pool: asyncpg.Pool, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.engine.units.RETRY_S", 0.01)
    job = await submitted(pool, store)
    for step in ("read", "score 2", "finish"):
        broken(store.paths(job.job_id), step, "kill")
    executor = ProcessPool(2, nice=0)
    try:
        await Runner(pool, shop(store, executor), "r").run_next()
    finally:
        await executor.close()
    assert (await found(pool, job)).state is JobState.DONE
    assert result(store, job) == RESULT
    counted = Counter(calls(store.paths(job.job_id)))
    assert {step for step, n in counted.items() if n > 1} == {"read", "score 2", "finish"}


async def test_a_cancelled_job_stops_in_the_middle_and_leaves_no_file(
    pool: asyncpg.Pool, store: JobStore, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    job = await submitted(pool, store)
    executor = ProcessPool(2, nice=0)
    steps = LineSteps(hold=str(hold))
    running = asyncio.create_task(Runner(pool, shop(store, executor, steps=steps), "r").run_next())
    try:
        await until(lambda: "score 0" in calls_so_far(store.paths(job.job_id)))
        await table.cancel(pool, "mine", job.job_id)
        ran = await running
    finally:
        await executor.close()
    assert ran is not None
    assert ran[1] is JobState.CANCELLED
    ended = await found(pool, job)
    assert (ended.state, ended.has_files, files(store, job)) == (JobState.CANCELLED, False, [])


async def test_a_stopped_run_gives_the_job_back_and_another_goes_on(
    pool: asyncpg.Pool, store: JobStore, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    job = await submitted(pool, store)
    executor = ProcessPool(1, nice=0)
    steps = LineSteps(hold=str(hold), held_from=2)
    running = asyncio.create_task(
        Runner(pool, shop(store, executor, steps=steps), "first").run_next()
    )
    try:
        await scored(pool, job, 2)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    finally:
        await executor.close()
    ran = await Runner(pool, shop(store), "second").run_next()  # at once
    assert ran is not None
    assert (ran[1], result(store, job)) == (JobState.DONE, RESULT)
    assert (await found(pool, job)).rows_done == len(LINES)
    counted = Counter(calls(store.paths(job.job_id)))
    assert counted["read"] == 1
    assert counted["score 0"] == 1


async def test_a_runner_without_its_lease_leaves_the_job_to_the_other(
    pool: asyncpg.Pool, store: JobStore, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    job = await submitted(pool, store)
    slow = shop(store, InlineExecutor(), steps=LineSteps(hold=str(hold)))
    losing = asyncio.create_task(Runner(pool, slow, "first").run_next())
    await until(lambda: "score 0" in calls_so_far(store.paths(job.job_id)))
    ran = await run_after_the_lease(pool, Runner(pool, shop(store), "second"))
    hold.unlink()
    assert ran[1] is JobState.DONE
    lost = await losing
    assert lost is not None
    assert lost[1] is None
    ended = await found(pool, job)
    assert (ended.state, ended.rows_done, result(store, job)) == (JobState.DONE, 11, RESULT)


async def test_two_runners_share_the_jobs(pool: asyncpg.Pool, store: JobStore) -> None:
    jobs = [await submitted(pool, store) for _ in range(6)]

    async def run_all(name: str) -> list[UUID]:
        runner, ran = Runner(pool, shop(store), name), []
        while (done := await runner.run_next()) is not None:
            ran.append(done[0].job_id)
        return ran

    first, second = await asyncio.gather(run_all("one"), run_all("two"))
    assert sorted([*first, *second]) == sorted(job.job_id for job in jobs)
    assert first
    assert second
    for job in jobs:
        assert result(store, job) == RESULT


async def test_a_job_goes_on_after_its_runner_was_killed(
    pool: asyncpg.Pool, store: JobStore, database_url: str, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    job = await submitted(pool, store)
    paths = store.paths(job.job_id)
    with runner_process(database_url, paths.folder.parent, hold) as process:
        await scored(pool, job, 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert await Runner(pool, shop(store), "early").run_next() is None  # the lease goes on
    ran = await run_after_the_lease(pool, Runner(pool, shop(store), "second"))
    assert (ran[1], ran[0].attempts, result(store, job)) == (JobState.DONE, 2, RESULT)
    assert (await found(pool, job)).rows_done == len(LINES)
    counted = Counter(calls(paths))
    assert (counted["read"], counted["score 0"], counted["finish"]) == (1, 1, 1)


async def test_another_machine_goes_on_behind_s3(
    pool: asyncpg.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server(monkeypatch):
        one, two = (
            job_store_of(Settings(home=tmp_path / name, jobs_at=f"s3://{BUCKET}/jobs"))
            for name in ("one", "two")
        )
        hold = tmp_path / "hold"
        hold.touch()
        job = await submitted(pool, one)
        steps = LineSteps(hold=str(hold), held_from=2)
        losing = asyncio.create_task(
            Runner(pool, shop(one, InlineExecutor(1), steps=steps), "one").run_next()
        )
        await scored(pool, job, 2)
        losing.cancel()
        hold.unlink()
        await asyncio.gather(losing, return_exceptions=True)
        ran = await run_after_the_lease(pool, Runner(pool, shop(two), "two"))
        assert ran[1] is JobState.DONE
        again = Counter(calls(two.paths(job.job_id)))
        assert (again["read"], again["score 0"], again["finish"]) == (1, 0, 1)
        assert (await found(pool, job)).rows_done == len(LINES)
        assert result(two, job) == RESULT
        two.remove_local(job.job_id)
        assert result(one, job) == RESULT


async def test_scores_that_are_gone_are_made_again(
    pool: asyncpg.Pool, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await submitted(pool, store)
    paths = store.paths(job.job_id)
    broken(paths, "finish", "input")
    await run_without_clearing(pool, shop(store), job)
    await pool.execute("UPDATE jobs SET state = 'finishing'")
    await pool.execute(
        "UPDATE job_parts SET state = 'open', attempts = 0 WHERE phase = 'finishing'"
    )
    paths.scores(3).unlink()
    paths.part(1).unlink()
    await Runner(pool, shop(store), "r").run_next()
    assert (await found(pool, job)).rows_done == len(LINES)
    assert result(store, job) == RESULT
    counted = Counter(calls(paths))
    assert (counted["read"], counted["score 3"], counted["score 2"]) == (2, 2, 1)


async def test_models_of_history_see_the_file_before_any_part_is_scored(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job = await submitted(pool, store)

    async def plan(_: Job, __: JobPaths) -> ScoringPlan:
        return HistoryPlan(models=(), columns=(), tenant="mine")

    await Runner(pool, shop(store, planner=plan), "r").run_next()
    assert calls(store.paths(job.job_id))[:3] == ["read", "check", "replay"]
    assert (await found(pool, job)).state is JobState.DONE


async def test_a_job_whose_model_is_gone_fails_with_the_reason(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job = await submitted(pool, store)

    async def plan(_: Job, __: JobPaths) -> ScoringPlan:
        raise NotFound("no reference cards@0123456789ab")

    await Runner(pool, shop(store, planner=plan), "r").run_next()
    failed = await found(pool, job)
    assert failed.problem == {
        "code": "model-gone",
        "step": "planning",
        "detail": "no reference cards@0123456789ab",
    }


async def test_a_killed_planner_is_asked_again_and_a_defect_ends_the_job(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    whole, broken_job = [await submitted(pool, store) for _ in range(2)]
    errors: list[Exception] = [WorkerLost("killed"), WorkerLost("killed")]

    async def plan(job: Job, paths: JobPaths) -> ScoringPlan:
        if job.job_id == broken_job.job_id:
            raise ZeroDivisionError("cell 4711")
        if errors:
            raise errors.pop()
        return await plan_nothing(job, paths)

    runner = Runner(pool, shop(store, planner=plan), "r")
    await runner.run_next(whole.job_id)
    await runner.run_next(broken_job.job_id)
    assert (await found(pool, whole)).state is JobState.DONE
    failed = await found(pool, broken_job)
    assert failed.state is JobState.FAILED
    assert "(ZeroDivisionError)" in failed.problem["detail"]
    assert "4711" not in failed.problem["detail"]


async def test_a_file_that_changed_since_it_was_read_is_not_scored_by_halves(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job = await submitted(pool, store)
    paths = store.paths(job.job_id)
    broken(paths, "finish", "input")
    await run_without_clearing(pool, shop(store), job)
    await pool.execute("UPDATE jobs SET state = 'scoring'")
    paths.upload.write_text("another\nfile")
    paths.part(5).unlink()
    await Runner(pool, shop(store), "r").run_next()
    failed = await found(pool, job)
    assert failed.problem["detail"] == "the file has changed since it was read"


async def test_payments_without_times_are_refused_after_the_replay(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job = await submitted(pool, store, [*LINES, "timeless"])

    async def plan(_: Job, __: JobPaths) -> ScoringPlan:
        return HistoryPlan(models=(), columns=(), tenant="mine")

    await Runner(pool, shop(store, planner=plan), "r").run_next()
    refused = await found(pool, job)
    assert (refused.state, files(store, job)) == (JobState.REFUSED, [])


async def test_expired_jobs_are_forgotten_with_their_files(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    job, other = [await submitted(pool, store) for _ in range(2)]
    runner = Runner(pool, shop(store), "r")
    await runner.run_next(job.job_id)
    assert await runner.clear() == 0
    await pool.execute("UPDATE jobs SET expires_at = now() WHERE job_id = $1", job.job_id)
    assert await runner.clear() == 1
    assert files(store, job) == []
    with pytest.raises(NotFound):
        await found(pool, job)
    assert (await found(pool, other)).has_files


async def test_files_without_a_job_are_removed_after_a_day(
    pool: asyncpg.Pool, store: JobStore
) -> None:
    known = await submitted(pool, store, job_id=new_job_id(1e9))
    now_s = 2e9
    lost, young = new_job_id(1e9), new_job_id(now_s - ORPHAN_AGE_S / 2)
    for job_id in (lost, young):
        store.make(job_id).upload.write_text("x")
    assert await Runner(pool, shop(store), "r").remove_orphans(int(now_s * 1000)) == 1
    assert not store.paths(lost).folder.exists()
    assert store.paths(young).upload.exists()
    assert store.paths(known.job_id).upload.exists()


class HistoryPlan(ScoringPlan):
    """A plan that asks for a replay."""

    history = ("a model",)  # type: ignore[assignment]


def calls_so_far(paths: JobPaths) -> list[str]:
    try:
        return calls(paths)
    except FileNotFoundError:
        return []


@contextmanager
def runner_process(url: str, folder: Path, hold: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A runner of one job in a process of its own, with one worker."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.job_runner", url, str(folder), str(hold)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
