"""The table `jobs`, for those who submit jobs, look at them and clean up after them.

Queries of callers name their tenant. What a runner does is in `bulk/jobs/lease.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from fraud.errors import Conflict, NotFound, Overloaded
from references.matching.match import Match
from stores.statements import statement

DAY_S = 86_400.0

_FULL_RETRY_S = 30.0
_DOCUMENTS = ("options", "match", "summary", "problem")


class Source(Protocol):
    """A connection to PostgreSQL, or a pool of them.

    What asyncpg raises is left to the caller: see `stores.postgres.errors.translate_outages`.
    """

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None:
        """Return the first row of a query."""
        ...

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return the first value of the first row."""
        ...

    async def execute(self, query: str, *args: object) -> str:
        """Execute a statement."""
        ...


@dataclass(frozen=True, slots=True)
class Leftover:
    """A job with files that are to be removed.

    Attributes:
        job_id: of the job.
        expired: the job itself is to be forgotten, too.
        is_kept: what a caller fetches stays; only what the job's run needed is to be removed.
    """

    job_id: UUID
    expired: bool
    is_kept: bool


async def insert(source: Source, job: Job, *, retention_days: float, most_open: int) -> Job:
    """Store a new job.

    Args:
        job: `waiting` or `queued`, with its match.
        retention_days: how long it is kept if nobody runs it.
        most_open: jobs of the tenant that may be open. Submissions of the same moment may go
            beyond it by a few.

    Returns:
        The job as stored.

    Raises:
        Overloaded: as many jobs of the tenant are open.
        ValueError: a number in the match is not finite.
    """
    row = await source.fetchrow(
        _sql("insert_job"),
        *(job.job_id, job.tenant, job.file_name, job.source, job.storage, job.state.value),
        job.options.model_dump_json(),
        match_json(job.match),
        *(job.bytes, job.author, retention_days * DAY_S, most_open),
    )
    if row is None:
        detail = f"{most_open} jobs have not ended: wait for one, or cancel one"
        raise Overloaded(detail, _FULL_RETRY_S)
    return job_of(row)


async def find(source: Source, tenant: str, job_id: UUID) -> Job:
    """Return a job of a tenant.

    Raises:
        NotFound: there is none, or it belongs to another tenant.
    """
    row = await source.fetchrow(_sql("find_job"), tenant, job_id)
    if row is None:
        raise NotFound("there is no such job")
    return job_of(row)


async def listed(
    source: Source, tenant: str, *, limit: int = 50, before: UUID | None = None
) -> list[Job]:
    """Return jobs of a tenant, newest first, without their matches and summaries.

    Args:
        limit: most that are returned, >= 1.
        before: continue after this job, the last of the page before.
    """
    rows = await source.fetch(_sql("list_jobs"), tenant, before, limit)
    return [job_of(row) for row in rows]


async def count_open(source: Source, tenant: str) -> int:
    """Return how many jobs of a tenant have not ended."""
    return int(await source.fetchval(_sql("count_open"), tenant))


async def confirm(
    source: Source, tenant: str, job_id: UUID, options: JobOptions, match: Match
) -> Job:
    """Let a job that waits begin, with what its caller has confirmed.

    Raises:
        NotFound: see `find`.
        Conflict: it does not wait.
    """
    row = await source.fetchrow(
        _sql("confirm_job"), tenant, job_id, options.model_dump_json(), match_json(match)
    )
    if row is None:
        job = await find(source, tenant, job_id)
        if job.state is JobState.WAITING:
            raise NotFound("the job has expired")
        raise Conflict(f"the job does not wait for a confirmation: it is {job.state}")
    return job_of(row)


async def cancel(source: Source, tenant: str, job_id: UUID) -> Job:
    """Have a job stopped. One that no runner holds is cancelled at once, the others soon; one that
    has ended stays as it is.

    Raises:
        NotFound: see `find`.
    """
    row = await source.fetchrow(_sql("cancel_job"), tenant, job_id)
    return await find(source, tenant, job_id) if row is None else job_of(row)


async def to_clear(source: Source, storage: str, limit: int = 100) -> list[Leftover]:
    """Return jobs of a store that have ended and still have files that nobody needs, and jobs that
    have expired. `files_trimmed`, `files_removed` and `forget` take them off this list."""
    rows = await source.fetch(_sql("jobs_to_clear"), storage, limit)
    return [Leftover(row["job_id"], row["expired"], row["is_kept"]) for row in rows]


async def files_trimmed(source: Source, job_id: UUID) -> None:
    """Record that of the files of a job only those are left that a caller fetches."""
    await source.execute(_sql("files_trimmed"), job_id)


async def files_removed(source: Source, job_id: UUID) -> None:
    """Record that the files of a job are removed."""
    await source.execute(_sql("files_removed"), job_id)


async def forget(source: Source, job_id: UUID) -> None:
    """Delete a job that has ended and expired, and its parts."""
    await source.execute(_sql("forget_job"), job_id)


async def with_files(source: Source, storage: str) -> set[UUID]:
    """Return the jobs of a store that have files."""
    return {row["job_id"] for row in await source.fetch(_sql("jobs_with_files"), storage)}


def match_json(match: Match | None) -> str | None:
    """Return a match as the table holds it.

    Raises:
        ValueError: a number in it is not finite.
    """
    return None if match is None else json.dumps(match.to_document(), allow_nan=False)


def job_of(row: asyncpg.Record) -> Job:
    """Return the job in a row of `columns.sql`."""
    fields = dict(row)
    for name in _DOCUMENTS:
        fields[name] = json.loads(fields[name]) if fields[name] is not None else None
    fields["state"] = JobState(fields["state"])
    fields["options"] = JobOptions.model_validate(fields["options"])
    if fields["match"] is not None:
        fields["match"] = Match.from_document(fields["match"])
    return Job(**fields)


def _sql(name: str) -> str:
    return statement(f"bulk/jobs/sql/{name}.sql")
