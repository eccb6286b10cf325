"""Runs the jobs of one store, one after the other, and removes what is left of ended ones."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

from bulk.engine.job_run import JobRun, Workshop
from bulk.engine.progress import Progress
from bulk.jobs import table
from bulk.jobs.job import Job
from bulk.jobs.lease import Lease, claim
from bulk.jobs.state import JobState
from fraud.errors import LeaseLost, Unavailable
from stores.postgres.errors import translate_outages

LEASE_S: Final = 30.0
"""A job whose runner was killed goes on elsewhere after so long."""

_log = logging.getLogger(__name__)


class Runner:
    """Runs jobs.

    Args:
        source: a pool of connections to PostgreSQL that write.
        shop: what runs share.
        name: of this runner, for the table: a machine and a process.
        new_token: makes what no other hold has in its name.
        lease_s: see `LEASE_S`.
    """

    def __init__(
        self,
        source: table.Source,
        shop: Workshop,
        name: str,
        new_token: Callable[[], str] = lambda: secrets.token_hex(8),
        lease_s: float = LEASE_S,
    ) -> None:
        self._source = source
        self._shop = shop
        self._name = name
        self._new_token = new_token
        self._lease_s = lease_s

    async def run_next(
        self, job_id: UUID | None = None, told: Callable[[Progress], None] = lambda _: None
    ) -> tuple[Job, JobState | None] | None:
        """Run one job until it has ended.

        Args:
            job_id: this one or none; None: whichever is next.
            told: see `JobRun`.

        Returns:
            The job as it was claimed, and the state in which it has ended (None: the lease was
            lost, another runner goes on). None if there is nothing to do.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        storage = await asyncio.to_thread(self._shop.store.identity)
        owner = f"{self._name}/{self._new_token()}"
        job = await claim(self._source, storage, owner, self._lease_s, job_id)
        if job is None:
            return None
        lease = Lease(self._source, job.job_id, owner, self._lease_s)
        try:
            state = await JobRun(job, lease, self._shop, told).run()
        except LeaseLost as error:
            _log.warning("job %s: %s", job.job_id, error)
            return job, None
        with suppress(Unavailable):  # then it is cleared later
            await self.clear()
        return job, state

    async def clear(self) -> int:
        """Remove what nobody needs of jobs that have ended: of those that are done or have failed
        all but what callers fetch, of the others all files; and forget those that have expired.

        A job whose files cannot be removed keeps no other from being cleared.

        Returns:
            How many jobs were cleared.

        Raises:
            StoreUnavailable, ArtifactsUnavailable: a store does not answer.
        """
        storage = await asyncio.to_thread(self._shop.store.identity)
        async with translate_outages():
            left = await table.to_clear(self._source, storage)
        cleared = 0
        for job in left:
            try:
                await self._clear(job)
                cleared += 1
            except OSError as error:
                _log.error("files of job %s stay: %s", job.job_id, error.strerror)
        return cleared

    async def _clear(self, left: table.Leftover) -> None:
        store = self._shop.store
        await asyncio.to_thread(store.trim if left.is_kept else store.remove, left.job_id)
        async with translate_outages():
            if left.expired:
                await table.forget(self._source, left.job_id)
            elif left.is_kept:
                await table.files_trimmed(self._source, left.job_id)
            else:
                await table.files_removed(self._source, left.job_id)

    async def remove_orphans(self, now_ms: int) -> int:
        """Remove files of jobs that were never submitted, or whose removal was interrupted.

        Args:
            now_ms: milliseconds since the epoch.

        Returns:
            How many jobs had such files.

        Raises:
            StoreUnavailable, ArtifactsUnavailable: a store does not answer.
        """
        store = self._shop.store
        storage = await asyncio.to_thread(store.identity)
        async with translate_outages():
            known = await table.with_files(self._source, storage)
        orphans = await asyncio.to_thread(store.orphans, known, now_ms)
        for job_id in orphans:
            await asyncio.to_thread(store.remove, job_id)
        return len(orphans)
