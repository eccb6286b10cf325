"""A file of this machine from its match to its result."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from bulk.engine.progress import Progress
from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.state import ENDED, JobState
from fraud.ids import decision_ids

if TYPE_CHECKING:
    from bulk.jobs.options import JobOptions
    from cluster.scoring.desk import ScoringDesk
    from references.matching.match import Match

_LOOK_S = 0.5

Told = Callable[[Progress], None]


class FileScoring:
    """One file.

    Args:
        desk: see `ScoringDesk`.
        file: where it is; it is not copied unless the job store is behind S3.
        tenant: whose job it becomes.
        options: of the job.
    """

    def __init__(self, desk: ScoringDesk, file: Path, tenant: str, options: JobOptions) -> None:
        self._desk = desk
        self._file = file.resolve()
        self._tenant = tenant
        self._options = options
        now_ms = int(time.time() * 1000)
        self.job_id = UUID(decision_ids(1, now_ms, os.urandom)[0])

    async def match(self) -> Match:
        """Return how the file fits the tenant's references. `drop` or `run` must follow.

        Raises:
            FileRefused: the file cannot be read.
            InvalidInput, NotFound: an option names something that is not there.
        """
        paths = await asyncio.to_thread(self._desk.store.make, self.job_id)
        paths.upload.symlink_to(self._file)
        try:
            return await self._desk.examiner.examine(
                self._tenant, paths, self._file.name, self._options
            )
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Leave nothing behind of a file that is not scored."""
        self._desk.store.remove(self.job_id)

    async def run(self, match: Match, *, retention_days: float, most_open: int, told: Told) -> Job:
        """Score the file, here or by a runner of the cluster that was faster.

        Args:
            match: of `match`, not refused.
            retention_days: how long the files of the job are kept.
            most_open: jobs of the tenant that may be open.
            told: called with the progress.

        Returns:
            The job as it has ended.

        Raises:
            Overloaded: the tenant has too many open jobs.
            StoreUnavailable: PostgreSQL does not answer.
        """
        try:
            await self._submit(match, retention_days, most_open)
        except BaseException:
            self.drop()
            raise
        try:
            return await self._ended(told)
        except asyncio.CancelledError:
            await table.cancel(self._desk.pool, self._tenant, self.job_id)
            await self._desk.runner.clear()
            raise

    async def _submit(self, match: Match, retention_days: float, most_open: int) -> None:
        store = self._desk.store
        paths = store.paths(self.job_id)
        kept = (paths.upload, paths.sample, paths.profile)
        await asyncio.to_thread(store.keep, self.job_id, *kept)
        job = Job(
            job_id=self.job_id,
            tenant=self._tenant,
            file_name=self._file.name,
            source=str(self._file),
            storage=store.identity(),
            state=JobState.QUEUED,
            options=self._options,
            bytes=self._file.stat().st_size,
            created_at=datetime.now(UTC),
            match=match,
            author="cli",
        )
        await table.insert(self._desk.pool, job, retention_days=retention_days, most_open=most_open)

    async def _ended(self, told: Told) -> Job:
        while True:
            job = await table.find(self._desk.pool, self._tenant, self.job_id)
            if job.state in ENDED:
                return job
            if await self._desk.runner.run_next(self.job_id, told) is None:
                # A runner of the cluster has it.
                told(Progress(job.state, job.rows_done, job.rows_total, job.rows_per_s))
                await asyncio.sleep(_LOOK_S)
