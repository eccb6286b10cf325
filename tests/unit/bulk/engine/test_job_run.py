"""The phases of a run, with a lease that no table holds: what it does, and what is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from bulk.engine.job_run import JobRun, Workshop
from bulk.engine.progress import Progress
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, Phase, Unit, UnitRecord
from bulk.jobs.paths import JobPaths
from bulk.jobs.state import JobState
from bulk.jobs.store import JobStore
from bulk.scoring.plan import ScoringPlan
from fraud.errors import LeaseLost, Unavailable
from references.matching.match import Match
from tests.contracts.inline_executor import InlineExecutor
from tests.contracts.job_steps import PLAN, LineSteps, broken, calls, plan_nothing
from tests.contracts.jobs import MATCH, new_job
from tests.contracts.waiting import until

LINES = ["row1", "row2", "bad", "row3"]
RESULT = ["row1 4", "row2 4", "row3 4"]


class FakeLease:
    """A lease that keeps what it is told.

    Args:
        parts: those on record, of a job whose file was read.
    """

    lease_s = 30.0

    def __init__(self, parts: Sequence[UnitRecord] = ()) -> None:
        self.writes: list[str] = []
        self.parts = list(parts)
        self.attempts: dict[Unit, int] = {}
        self.match: Match | None = None
        self.ended: dict[str, Any] = {}
        self.given_back: list[Unit] = []
        self.is_unwanted = self.is_lost = False

    async def renew(self, rows_per_s: float | None) -> bool:
        if self.is_lost:
            raise LeaseLost("another runner has the job, or it is gone")
        return self.is_unwanted

    async def units(self) -> list[UnitRecord]:
        return self.parts

    async def begin(self, unit: Unit, rows: int = 0) -> int:
        self.attempts[unit] = self.attempts.get(unit, 0) + 1
        return self.attempts[unit]

    async def done(self, unit: Unit) -> None:
        self.writes.append(f"{unit.phase} {unit.part} done")

    async def reopen(self, unit: Unit) -> None:
        self.attempts.pop(unit, None)

    async def failed(self, unit: Unit) -> None:
        self.writes.append(f"{unit.phase} {unit.part} failed")

    async def begin_scoring(
        self, rows_total: int, rows_failed: int, parts: Sequence[int], match: Match | None = None
    ) -> None:
        self.writes.append(f"{rows_total} rows, {rows_failed} bad, parts of {list(parts)}")
        self.parts = [part(number, rows) for number, rows in enumerate(parts)]
        self.match = match

    async def rematch(self, match: Match) -> None:
        self.match = match

    async def begin_finishing(self) -> None:
        self.writes.append("all scored")

    async def end(self, state: JobState, **told: Any) -> None:
        self.writes.append(str(state))
        self.ended = told

    async def give_back(self, under_way: Collection[Unit] = ()) -> None:
        self.given_back += under_way


def part(number: int, rows: int, done: bool = False) -> UnitRecord:
    return UnitRecord(Unit(Phase.SCORING, number), rows, done, failed=False, attempts=0)


class Case:
    """A job whose file was uploaded.

    Args:
        folder: of the store.
        state: in which it was claimed.
        parts: see `FakeLease`.
    """

    def __init__(
        self, folder: Path, state: JobState = JobState.READING, parts: Sequence[UnitRecord] = ()
    ) -> None:
        self.store = JobStore(folder / "jobs")
        self.job = new_job(state=state)
        self.paths = self.store.make(self.job.job_id)
        self.paths.upload.write_text("\n".join(LINES))
        self.lease = FakeLease(parts)
        self.told: list[Progress] = []

    def run(self, **changes: Any) -> JobRun:
        shop = Workshop(self.store, InlineExecutor(1), LineSteps(), plan_nothing, 7.0, 1 << 30)
        lease = cast(Lease, self.lease)
        return JobRun(self.job, lease, replace(shop, **changes), self.told.append)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bulk.engine.hold.BEAT_S", 0.01)
    monkeypatch.setattr("bulk.engine.units.RETRY_S", 0.01)


async def test_each_phase_is_on_record_before_the_next_begins(tmp_path: Path) -> None:
    case = Case(tmp_path)
    assert await case.run().run() is JobState.DONE
    assert calls(case.paths) == ["read", "check", "score 0", "score 1", "finish"]
    assert case.lease.writes == [
        "reading 0 done",
        "checking 0 done",
        "4 rows, 1 bad, parts of [2, 1]",
        "scoring 0 done",
        "scoring 1 done",
        "all scored",
        "finishing 0 done",
        "done",
    ]
    assert case.paths.result.read_text().splitlines() == RESULT
    assert case.lease.ended["summary"] == {"rows": {"total": 3}}
    assert case.told[-1] == Progress(JobState.DONE, 3, 4)


async def test_a_run_that_continues_another_does_what_is_left(tmp_path: Path) -> None:
    case = Case(tmp_path)
    await case.run().run()
    case.job = replace(case.job, state=JobState.SCORING, rows_total=4)
    case.lease = FakeLease([part(0, 2, done=True), part(1, 1)])
    before = len(calls(case.paths))
    assert await case.run().run() is JobState.DONE
    assert calls(case.paths)[before:] == ["score 1", "finish"]
    assert "scoring 0 done" not in case.lease.writes


async def test_a_run_elsewhere_cuts_the_file_again_and_scores_what_it_does_not_find(
    tmp_path: Path,
) -> None:
    case = Case(tmp_path, JobState.FINISHING, [part(0, 2, done=True), part(1, 1, done=True)])
    assert await case.run().run() is JobState.DONE
    assert calls(case.paths) == ["read", "score 0", "score 1", "finish"]
    assert "all scored" not in case.lease.writes  # it was on record before
    assert case.paths.result.read_text().splitlines() == RESULT


@pytest.mark.parametrize(
    ("parts", "detail"),
    [([part(0, 3)], "the file has changed since it was read"), ([], "not there any more")],
)
async def test_another_file_than_the_one_that_was_read_ends_the_job(
    tmp_path: Path, parts: list[UnitRecord], detail: str
) -> None:
    case = Case(tmp_path, JobState.SCORING if parts else JobState.READING, parts)
    if not parts:
        case.paths.upload.unlink()
    assert await case.run().run() is JobState.FAILED
    problem = case.lease.ended["problem"]
    assert (problem["code"], problem["step"]) == ("file-gone", "reading")
    assert detail in problem["detail"]


@dataclass(frozen=True, slots=True)
class NotingSteps(LineSteps):
    """The whole file says something that its sample did not."""

    def check(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        return replace(match, notes=("read as a whole",))


async def test_what_the_whole_file_says_is_planned_and_kept(tmp_path: Path) -> None:
    case = Case(tmp_path)
    planned: list[Match | None] = []

    async def planner(job: Job, paths: JobPaths) -> ScoringPlan:
        planned.append(job.match)
        return PLAN

    noted = replace(MATCH, notes=("read as a whole",))
    assert await case.run(steps=NotingSteps(), planner=planner).run() is JobState.DONE
    assert planned == [MATCH, noted]
    assert case.lease.match == noted


async def test_a_match_that_stays_is_neither_planned_nor_stored_again(tmp_path: Path) -> None:
    case = Case(tmp_path)
    planned: list[Match | None] = []

    async def planner(job: Job, paths: JobPaths) -> ScoringPlan:
        planned.append(job.match)
        return PLAN

    await case.run(planner=planner).run()
    assert (planned, case.lease.match) == ([MATCH], None)


async def test_a_unit_without_success_ends_the_job_with_its_name(tmp_path: Path) -> None:
    case = Case(tmp_path)
    broken(case.paths, "score 1", "defect", times=9)
    assert await case.run().run() is JobState.FAILED
    assert case.lease.attempts[Unit(Phase.SCORING, 1)] == 3
    assert case.lease.writes[-2:] == ["scoring 1 failed", "failed"]
    assert case.lease.ended["problem"]["step"] == "scoring of part 1"


@pytest.mark.parametrize("counts", [True, False])
async def test_models_of_a_job_that_is_done_are_counted_if_that_is_possible(
    tmp_path: Path, counts: bool
) -> None:
    case = Case(tmp_path)
    used: list[tuple[str, Match]] = []

    async def count(tenant: str, match: Match) -> None:
        used.append((tenant, match))
        if not counts:
            raise Unavailable("not now")

    assert await case.run(used=count).run() is JobState.DONE
    assert used == [("mine", MATCH)]


async def test_a_job_that_is_refused_counts_no_use(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.paths.upload.write_text("alien")
    used: list[Match] = []

    async def count(tenant: str, match: Match) -> None:
        used.append(match)

    assert await case.run(used=count).run() is JobState.REFUSED
    assert used == []
    assert case.lease.ended["match"] == replace(MATCH, chosen=())


@pytest.mark.parametrize("loss", ["is_unwanted", "is_lost"])
async def test_a_run_stops_in_the_middle_when_it_may_not_go_on(tmp_path: Path, loss: str) -> None:
    case, hold = Case(tmp_path), tmp_path / "hold"
    hold.touch()
    running = asyncio.create_task(case.run(steps=LineSteps(hold=str(hold))).run())
    try:
        await until(lambda: case.lease.attempts.get(Unit(Phase.SCORING, 0)) == 1)
        setattr(case.lease, loss, True)
        if loss == "is_unwanted":
            assert await running is JobState.CANCELLED
            assert case.lease.given_back == []
        else:
            with pytest.raises(LeaseLost):
                await running
            assert Unit(Phase.SCORING, 0) in case.lease.given_back
            assert case.lease.ended == {}
    finally:
        hold.unlink()
    assert not case.paths.result.exists()
