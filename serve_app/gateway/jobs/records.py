"""The table of jobs on the gateway's connections. Every query names its tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from fraud.errors import Overloaded
from references.matching.match import Match
from serve_app.gateway.errors import TooManyJobs
from serve_app.gateway.queries import store_errors

RETRY_S: Final = 30.0
"""When a caller with too many jobs may try again."""


@dataclass(frozen=True, slots=True)
class JobRecords:
    """The jobs of all tenants.

    Attributes:
        pool: the primary.
        most_open: most jobs of a tenant that have not ended.
        retention_days: how long a job and its files are kept.
    """

    pool: asyncpg.Pool
    most_open: int
    retention_days: float

    async def add(self, job: Job) -> Job:
        """Store a new job.

        Raises:
            TooManyJobs: its tenant has too many that have not ended.
            StoreUnavailable: PostgreSQL does not answer.
        """
        try:
            async with store_errors():
                return await table.insert(
                    self.pool, job, retention_days=self.retention_days, most_open=self.most_open
                )
        except Overloaded:
            raise TooManyJobs(self.most_open, RETRY_S) from None

    async def require_room(self, tenant: str, drafts: int) -> None:
        """Do nothing if a tenant may have one more job.

        Args:
            drafts: its jobs that are not stored yet.

        Raises:
            TooManyJobs: it may not.
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            is_open = await table.count_open(self.pool, tenant)
        if is_open + drafts >= self.most_open:
            raise TooManyJobs(self.most_open, RETRY_S)

    async def find(self, tenant: str, job_id: UUID) -> Job:
        """Return a job.

        Raises:
            NotFound: there is none, or it is another tenant's.
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            return await table.find(self.pool, tenant, job_id)

    async def newest(self, tenant: str, limit: int, before: UUID | None) -> list[Job]:
        """Return a tenant's jobs, the newest first, without matches and summaries.

        Args:
            before: only jobs that are older than this one; None: from the newest on.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            return await table.listed(self.pool, tenant, limit=limit, before=before)

    async def confirm(self, tenant: str, job_id: UUID, options: JobOptions, match: Match) -> Job:
        """Queue a job that waits.

        Raises:
            NotFound: see `find`.
            Conflict: it does not wait.
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            return await table.confirm(self.pool, tenant, job_id, options, match)

    async def cancel(self, tenant: str, job_id: UUID) -> Job:
        """Have a job stopped. One that has ended stays as it is.

        Raises:
            NotFound: see `find`.
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            return await table.cancel(self.pool, tenant, job_id)
