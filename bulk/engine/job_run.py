"""One run of a job: from where it is to its end, or until the lease is lost.

    reading -> the whole file is checked against the match -> scoring -> finishing -> done

What is whole stays: a run that continues another one's does only what is left. Parts of the file
are on the machine that cut them; a run elsewhere cuts them again, equally, from the upload.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from bulk.engine.hold import work_under
from bulk.engine.progress import Progress, Speed
from bulk.engine.steps import Planner, ReadOrder, Steps
from bulk.engine.units import (
    ATTEMPTS,
    UnitFailed,
    Units,
    code_of,
    reason_of,
    through_outages,
)
from bulk.engine.workers.executor import Executor, WorkerLost
from bulk.jobs.cancelled import Cancelled
from bulk.jobs.file_read import FileRead
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, Phase, Unit, UnitRecord
from bulk.jobs.state import JobState
from bulk.jobs.store import JobStore
from bulk.scoring.plan import ScoringPlan
from fraud.errors import (
    ArtifactRefused,
    ArtifactsUnavailable,
    LeaseLost,
    NotFound,
    QuorumError,
    StoreUnavailable,
)
from references.matching.match import Match

T = TypeVar("T")

_log = logging.getLogger(__name__)

READING, CHECKING = Unit(Phase.READING), Unit(Phase.CHECKING)
REPLAY, FINISHING = Unit(Phase.REPLAY), Unit(Phase.FINISHING)

_AHEAD: Final = 1
"""Parts that wait for a worker, so that none is idle while a part is stored."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What runs of jobs share.

    Attributes:
        store: of the jobs' files.
        executor: does the work.
        steps: what the work is.
        planner: finds what scores a job.
        retention_days: how long files of ended jobs are kept.
        max_unpacked_bytes: most bytes that a file may unpack to.
        used: told of a job that is done, with the match that it was scored by.
    """

    store: JobStore
    executor: Executor
    steps: Steps
    planner: Planner
    retention_days: float
    max_unpacked_bytes: int
    used: Callable[[str, Match], Awaitable[None]] | None = None


class _Refused(Exception):
    """Read as a whole, the file fits no model."""

    def __init__(self, match: Match) -> None:
        super().__init__(match)
        self.match = match


class JobRun:
    """One run of a job under a lease.

    Args:
        job: as it was claimed.
        lease: the hold on it.
        shop: what runs share.
        told: called with the progress about once a second.
    """

    def __init__(
        self,
        job: Job,
        lease: Lease,
        shop: Workshop,
        told: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._job = job
        self._lease = lease
        self._shop = shop
        self._told = told
        self._paths = shop.store.paths(job.job_id)
        self._units = Units(lease, shop.executor)
        self._progress = Progress(job.state, job.rows_done, job.rows_total)
        self._speed = Speed()

    async def run(self) -> JobState:
        """Work until the job has ended.

        Returns:
            The state in which it has ended.

        Raises:
            LeaseLost: another runner has it, or may have.
            asyncio.CancelledError: this run is stopped; the job is given back.
        """
        try:
            state = await self._run()
        except (LeaseLost, StoreUnavailable, asyncio.CancelledError):
            with suppress(QuorumError):  # then the lease ends by itself
                await self._lease.give_back(self._units.under_way)
            raise
        except Exception as error:  # or the next runner would fail the same way, and the next
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.error("job %s: %s\n%s", self._job.job_id, type(error).__name__, frames)
            problem = {"code": code_of(error), "detail": reason_of(error)}
            return await self._end(JobState.FAILED, problem=problem)
        if state is JobState.DONE and self._shop.used is not None:
            with suppress(QuorumError):  # a count, and no more
                await self._shop.used(self._job.tenant, self._match)
        return state

    async def _run(self) -> JobState:
        try:
            summary = await work_under(self._lease, self._work(), self._beat)
        except Cancelled:
            return await self._end(JobState.CANCELLED)
        except _Refused as refused:
            problem = {
                "code": "refused",
                "detail": "read as a whole, the file fits none of the models",
            }
            return await self._end(JobState.REFUSED, problem=problem, match=refused.match)
        except UnitFailed as failed:
            problem = {"code": failed.code, "step": failed.unit, "detail": failed.detail}
            return await self._end(JobState.FAILED, problem=problem)
        return await self._end(JobState.DONE, summary=summary)

    async def _work(self) -> dict[str, Any]:
        await asyncio.to_thread(self._shop.store.make, self._job.job_id)
        await self._brought(self._paths.sample)
        if self._job.state is JobState.READING:
            plan = await self._read_and_check()
            self._enter(JobState.SCORING)
        else:
            await self._bring_parts()
            plan = await self._plan()
        plan = await self._score(plan)
        if self._progress.state is JobState.SCORING:
            await through_outages(self._lease.begin_finishing)
            self._enter(JobState.FINISHING)
        kept = (self._paths.result, self._paths.errors)
        return await self._phase(
            FINISHING, kept, self._shop.steps.finish, self._paths, plan, self._job
        )

    async def _read_and_check(self) -> ScoringPlan:
        """Read the file, and check it as a whole against the match."""
        found = await self._read()
        plan = await self._plan()
        check = self._shop.steps.check
        match = await self._phase(CHECKING, (), check, self._paths, plan, self._match)
        if match.refused:
            raise _Refused(match)
        changed = None if match == self._match else match
        if changed is not None:
            self._job = replace(self._job, match=changed)
            plan = await self._plan()
        parts = found.parts
        await through_outages(
            lambda: self._lease.begin_scoring(found.rows_total, found.rows_failed, parts, changed)
        )
        self._progress = replace(self._progress, rows_total=found.rows_total)
        return plan

    async def _read(self) -> FileRead:
        paths, job = self._paths, self._job
        if not await self._brought(paths.upload):
            raise UnitFailed("reading", "the file is not there any more", "file-gone")
        order = ReadOrder(paths, job.file_name, job.options.dialect, self._shop.max_unpacked_bytes)
        return await self._phase(
            READING, (paths.errors, paths.profile), self._shop.steps.read, order
        )

    async def _bring_parts(self) -> None:
        """Have the parts of the file on this machine."""
        records = await self._recorded_parts()
        parts = [record.unit.part for record in records]
        if not all(self._paths.part(number).exists() for number in parts):
            found = await self._read()
            if list(found.parts) != [record.rows for record in records]:
                raise UnitFailed("reading", "the file has changed since it was read", "file-gone")
        await self._brought(self._paths.profile, self._paths.errors)

    async def _score(self, plan: ScoringPlan) -> ScoringPlan:
        """Score the parts that are left, and have the scores of all on this machine.

        Returns:
            What has scored them: less than planned if rows turned out to be no payments.
        """
        left: list[UnitRecord] = []
        done = 0
        for record in await self._recorded_parts():
            if record.done and await self._brought(self._paths.scores(record.unit.part)):
                done += record.rows
                continue
            if record.done:
                await self._reopen(record.unit)
            left.append(record)
        self._progress = replace(self._progress, rows_done=done)
        if left and plan.history:
            plan = await self._replay(plan)
        records = iter(left)
        lanes = min(self._shop.executor.workers + _AHEAD, len(left))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(plan, records))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return plan

    async def _replay(self, plan: ScoringPlan) -> ScoringPlan:
        replay = self._shop.steps.replay
        kept = (self._paths.replay_errors,)
        match = await self._phase(REPLAY, kept, replay, self._paths, plan, self._match)
        if match.refused:
            raise _Refused(match)
        if match == self._match:
            return plan
        await through_outages(lambda: self._lease.rematch(match))
        self._job = replace(self._job, match=match)
        return await self._plan()

    async def _lane(self, plan: ScoringPlan, records: Iterator[UnitRecord]) -> None:
        """Score one part after the other."""
        for record in records:
            unit, rows = record.unit, record.rows
            score = self._shop.steps.score
            await self._units.do(unit, score, self._paths, unit.part, plan, rows=rows)
            await self._kept(self._paths.scores(unit.part))
            await self._done(unit)
            self._progress = replace(self._progress, rows_done=self._progress.rows_done + rows)

    async def _phase(
        self, unit: Unit, kept: Sequence[Path], function: Callable[..., T], *args: object
    ) -> T:
        """Do a phase that is one unit of work, again if it was done where its files are not at
        hand, and keep the files that it leaves."""
        await self._reopen(unit)
        found = await self._units.do(unit, function, *args)
        await self._kept(*kept)
        await self._done(unit)
        return found

    async def _done(self, unit: Unit) -> None:
        await through_outages(lambda: self._lease.done(unit))

    async def _reopen(self, unit: Unit) -> None:
        await through_outages(lambda: self._lease.reopen(unit))

    async def _plan(self) -> ScoringPlan:
        for tries_left in reversed(range(ATTEMPTS)):
            try:
                return await through_outages(lambda: self._shop.planner(self._job, self._paths))
            except WorkerLost as lost:
                if not tries_left:
                    raise UnitFailed("planning", str(lost), "step-failed") from lost
            except ArtifactsUnavailable as error:
                raise UnitFailed("planning", str(error), code_of(error)) from error
            except (NotFound, ArtifactRefused) as error:
                raise UnitFailed("planning", str(error), "model-gone") from error
        raise AssertionError("unreachable")

    async def _recorded_parts(self) -> list[UnitRecord]:
        found = await through_outages(self._lease.units)
        return [record for record in found if record.unit.phase is Phase.SCORING]

    async def _brought(self, *files: Path) -> bool:
        store, job_id = self._shop.store, self._job.job_id
        return await through_outages(lambda: asyncio.to_thread(store.bring, job_id, *files))

    async def _kept(self, *files: Path) -> None:
        store, job_id = self._shop.store, self._job.job_id
        await through_outages(lambda: asyncio.to_thread(store.keep, job_id, *files))

    async def _end(
        self,
        state: JobState,
        *,
        summary: dict[str, Any] | None = None,
        problem: dict[str, Any] | None = None,
        match: Match | None = None,
    ) -> JobState:
        days = self._shop.retention_days
        await through_outages(
            lambda: self._lease.end(
                state, retention_days=days, summary=summary, problem=problem, match=match
            )
        )
        self._enter(state)
        self._told(self._progress)
        return state

    @property
    def _match(self) -> Match:
        assert self._job.match is not None  # a job is queued with a match
        return self._job.match

    def _enter(self, state: JobState) -> None:
        before = self._progress
        if before.state is JobState.READING and before.rows_total is not None:
            self._told(replace(before, rows_done=before.rows_total))
        elif before.state is JobState.SCORING:
            self._told(before)
        self._speed = Speed()
        self._progress = replace(self._progress, state=state, rows_per_s=None)

    def _beat(self) -> float | None:
        state, rows = self._progress.state, self._progress.rows_done
        if state is not JobState.SCORING or not rows:
            told = self._shop.steps.told_rows(self._paths)
            rows = rows if told is None else told
        self._speed.note(rows, asyncio.get_running_loop().time())
        shown = rows if state is not JobState.FINISHING else self._progress.rows_done
        rate = self._speed.rows_per_s()
        self._told(replace(self._progress, rows_done=shown, rows_per_s=rate))
        return rate


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first error of a group that is none."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
