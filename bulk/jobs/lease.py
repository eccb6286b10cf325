"""A runner's hold on a job. Each of its writes is fenced: a runner that has lost the lease changes
nothing, and learns that it is lost."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from bulk.jobs.job import Job
from bulk.jobs.state import JobState
from bulk.jobs.table import DAY_S, Source, job_of, match_json
from fraud.errors import LeaseLost
from references.matching.match import Match
from stores.postgres.errors import translate_outages
from stores.statements import statement


class Phase(StrEnum):
    """What a unit of work belongs to. All but `scoring` are one unit."""

    READING = "reading"
    CHECKING = "checking"
    REPLAY = "replay"
    SCORING = "scoring"
    FINISHING = "finishing"


class Unit(NamedTuple):
    """A unit of work of a job."""

    phase: Phase
    part: int = 0


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit of work as the table holds it.

    Attributes:
        unit: which one.
        rows: rows of the part; 0 where a phase is one unit.
        done, failed: how it ended; neither: it is open.
        attempts: times that it was begun.
    """

    unit: Unit
    rows: int
    done: bool
    failed: bool
    attempts: int


async def claim(
    source: Source, storage: str, owner: str, lease_s: float, job_id: UUID | None = None
) -> Job | None:
    """Take a job whose lease is free.

    Args:
        source: a connection or pool that writes.
        storage: identity of the job store; jobs of other stores are left alone.
        owner: never used before: it names this hold, not only this runner.
        lease_s: seconds until another runner may take the job, unless the lease is renewed.
        job_id: take this job or none; None: whichever is next.

    Returns:
        The job, in state `reading` if it is new; None if there is nothing to do.

    Raises:
        StoreUnavailable: PostgreSQL does not answer.
    """
    async with translate_outages():
        row = await source.fetchrow(_sql("claim_job"), storage, owner, lease_s, job_id)
    return None if row is None else job_of(row)


class Lease:
    """The hold on one job. Every method raises LeaseLost if another runner has the job by now or
    the job is gone, and StoreUnavailable if PostgreSQL does not answer.

    Args:
        source: a connection or pool that writes; several calls may be under way, so a pool.
        job_id: the job.
        owner: as given to `claim`.
        lease_s: as given to `claim`.
    """

    def __init__(self, source: Source, job_id: UUID, owner: str, lease_s: float) -> None:
        self._source = source
        self._key = (job_id, owner)
        self.job_id = job_id
        self.lease_s = lease_s

    async def renew(self, rows_per_s: float | None) -> bool:
        """Hold the job for another `lease_s`.

        Args:
            rows_per_s: the present speed; None if unknown.

        Returns:
            Whether the caller wants the job to stop.
        """
        return bool(await self._held("renew_lease", self.lease_s, rows_per_s))

    async def units(self) -> list[UnitRecord]:
        """Return the units of work so far, by phase and part."""
        async with translate_outages():
            rows = await self._source.fetch(_sql("list_parts"), self.job_id)
        return [
            UnitRecord(
                Unit(Phase(row["phase"]), row["part"]),
                row["rows"],
                row["state"] == "done",
                row["state"] == "failed",
                row["attempts"],
            )
            for row in rows
        ]

    async def begin(self, unit: Unit, rows: int = 0) -> int:
        """Count an attempt at a unit of work; add the unit if it is new.

        Returns:
            The attempts, this one included.
        """
        return int(await self._held("begin_part", unit.phase.value, unit.part, rows))

    async def done(self, unit: Unit) -> None:
        """A unit of work is done. The rows of a part that is scored count as done, once."""
        await self._held("part_done", unit.phase.value, unit.part)

    async def reopen(self, unit: Unit) -> None:
        """What a unit that was done has left is not at hand: it is done again."""
        await self._held("reopen_part", unit.phase.value, unit.part)

    async def failed(self, unit: Unit) -> None:
        """A unit of work has used up its attempts."""
        await self._held("part_failed", unit.phase.value, unit.part)

    async def begin_scoring(
        self, rows_total: int, rows_failed: int, parts: Sequence[int], match: Match | None = None
    ) -> None:
        """The file is read.

        Args:
            rows_total: rows of the file, those that could not be read included.
            rows_failed: rows that could not be read.
            parts: rows of each part.
            match: replaces the job's, now that the whole file is known; None: it stays.
        """
        document = match_json(match)
        await self._held("begin_scoring", rows_total, rows_failed, list(parts), document)

    async def rematch(self, match: Match) -> None:
        """Replace the job's match: a model less scores it."""
        await self._held("rematch_job", match_json(match))

    async def begin_finishing(self) -> None:
        """All parts are scored."""
        await self._held("begin_finishing")

    async def end(
        self,
        state: JobState,
        *,
        retention_days: float,
        summary: dict[str, Any] | None = None,
        problem: dict[str, Any] | None = None,
        match: Match | None = None,
    ) -> None:
        """The job has ended; the lease ends with it.

        Args:
            state: one of `bulk.jobs.state.ENDED`.
            retention_days: how long its files are kept from now on.
            summary: of a job that is done.
            problem: of another.
            match: see `begin_scoring`.

        Raises:
            ValueError: a number in `summary` or `problem` is not finite.
        """
        documents = [json.dumps(found or {}, allow_nan=False) for found in (summary, problem)]
        kept_s = retention_days * DAY_S
        await self._held("end_job", state.value, *documents, kept_s, match_json(match))

    async def give_back(self, under_way: Collection[Unit] = ()) -> None:
        """Let another runner continue at once.

        Args:
            under_way: units that were begun; the attempt does not count.
        """
        phases = [unit.phase.value for unit in under_way]
        parts = [unit.part for unit in under_way]
        async with translate_outages():
            await self._source.execute(_sql("give_back"), *self._key, phases, parts)

    async def _held(self, name: str, *args: object) -> Any:
        async with translate_outages():
            found = await self._source.fetchval(_sql(name), *self._key, *args)
        if found is None:
            raise LeaseLost("another runner has the job, or it is gone")
        return found


def _sql(name: str) -> str:
    return statement(f"bulk/jobs/sql/lease/{name}.sql")
