"""What the command line needs to match and run jobs, opened together."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulk.engine.file_steps import FileSteps
from bulk.engine.job_run import Workshop
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.runner import Runner
from bulk.engine.submission import Examiner, Planning
from bulk.engine.workers.process_pool import ProcessPool
from bulk.jobs.store import JobStore, job_store_of
from cluster.home.connection import database_url
from models.store.location import StorePlace
from stores.postgres.connect import open_pool

if TYPE_CHECKING:
    import asyncpg

    from settings.settings import Settings

_CONNECTIONS = 3
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class ScoringDesk:
    """Everything that a file needs from its submission to its result.

    Attributes:
        pool: connections to PostgreSQL.
        store: of the jobs' files.
        examiner: matches files.
        runner: runs jobs.
    """

    pool: asyncpg.Pool
    store: JobStore
    examiner: Examiner
    runner: Runner

    async def tidy(self) -> None:
        """Remove files of jobs that have expired, and those that no job knows. A running Quorum
        does so by itself.

        Raises:
            StoreUnavailable, ArtifactsUnavailable: a store does not answer.
        """
        await self.runner.clear()
        await self.runner.remove_orphans(int(time.time() * 1000))


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[ScoringDesk]:
    """Open a desk, and close it at the end of the block: no process is left.

    Raises:
        CommandFailed: DATABASE_URL is not set.
        SettingInvalid, InvalidInput: a setting cannot be used.
    """
    pool = await open_pool(
        database_url(settings), size=_CONNECTIONS, timeout_s=_TIMEOUT_S, name="quorum-score"
    )
    executor = ProcessPool(settings.job_workers)
    try:
        store = job_store_of(settings)
        shelf = ReferenceShelf(pool, settings.owner_of)
        artifacts = StorePlace.of(settings.artifacts_url, settings)
        unpacked = settings.max_unpacked_mib << 20
        shop = Workshop(
            store=store,
            executor=executor,
            steps=FileSteps(),
            planner=Planning(shelf, artifacts, executor),
            retention_days=settings.job_retention_days,
            max_unpacked_bytes=unpacked,
            used=shelf.count_use,
        )
        yield ScoringDesk(
            pool,
            store,
            Examiner(shelf, artifacts, executor, unpacked),
            Runner(pool, shop, f"{socket.gethostname()}/{os.getpid()}"),
        )
    finally:
        await executor.close()
        await pool.close()
