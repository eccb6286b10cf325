"""What every front of bulk scoring stands on: jobs and keys, on the stores of the settings."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import ray

from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.submission import Examiner
from bulk.engine.workers.executor import Executor
from bulk.files.sources import JobSources
from bulk.jobs.store import job_store_of
from bulk.output.csv_file import csv_chunks
from bulk.output.error_file import error_lines
from deployments.jobs.ray_executor import RayExecutor
from fraud.ids import decision_ids
from models.store.location import StorePlace
from serve_app.database import open_pools
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.jobs.jobs import Jobs
from serve_app.gateway.jobs.records import JobRecords
from serve_app.gateway.jobs.room import JobLimits
from serve_app.gateway.key_changes import KeyChanges
from serve_app.gateway.records import Records
from serve_app.http.services import Authenticate
from settings.settings import Settings

EXAMINERS = 1
"""Files that are matched at a time by one replica; the others wait."""

FRONT_OPTIONS: Final[dict[str, Any]] = {
    # Uploads and downloads take minutes each, and little of this process.
    "max_ongoing_requests": 1024,
    # A roll-out waits so long for uploads and downloads.
    "graceful_shutdown_timeout_s": 120.0,
    "graceful_shutdown_wait_loop_s": 0.5,
    "health_check_period_s": 5.0,
    "ray_actor_options": {"num_cpus": 0.1},
}
"""Options of the deployment of every front."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Jobs and keys.

    Attributes:
        authenticate: returns the owner of an API key, or raises.
        jobs: the jobs of all tenants.
        pepper: secret that hashes of keys depend on; no text of this shows it.
    """

    authenticate: Authenticate
    jobs: Jobs
    pepper: str = field(repr=False)
    _key_changes: KeyChanges
    _executor: RayExecutor
    _pools: tuple[asyncpg.Pool, ...]

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """Stop everything when the app ends that has this lifespan."""
        yield
        await self.close()

    async def close(self) -> None:
        """Stop everything."""
        await self._key_changes.close()
        await self._executor.close()
        for pool in self._pools:
            pool.terminate()


async def open_backend(settings: Settings, wake: Callable[[], Awaitable[None]]) -> Backend:
    """Return the jobs and keys of the stores that the settings name. None needs to be up yet.

    Args:
        wake: tells the runners that a job is queued; must not raise.

    Raises:
        ValueError: QUORUM_KEY_PEPPER is not set.
    """
    if settings.key_pepper is None:
        raise ValueError("QUORUM_KEY_PEPPER must be set")
    pepper = settings.key_pepper.get_secret_value()
    primary, replica = await open_pools(settings)
    records = Records(primary, replica, now_ms)
    authenticator = Authenticator(records.key, pepper)
    key_changes = KeyChanges(records.changed_keys, authenticator.check_again)
    key_changes.start()
    executor = RayExecutor(EXAMINERS, ray.get_runtime_context().get_node_id())
    return Backend(
        authenticator.authenticate,
        _jobs_of(settings, primary, executor, wake),
        pepper,
        key_changes,
        executor,
        (primary,) if replica is None else (primary, replica),
    )


def now_ms() -> int:
    """Return milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_job_id() -> UUID:
    """Return a UUID of version 7."""
    return UUID(decision_ids(1, now_ms(), os.urandom)[0])


def _jobs_of(
    settings: Settings, pool: asyncpg.Pool, executor: Executor, wake: Callable[[], Awaitable[None]]
) -> Jobs:
    store = job_store_of(settings)
    shelf = ReferenceShelf(pool, settings.owner_of)
    artifacts = StorePlace.of(settings.artifacts_url, settings)
    sources = JobSources.parse(settings.job_sources, settings.s3_endpoint_url)
    return Jobs(
        JobRecords(pool, settings.max_open_jobs, settings.job_retention_days),
        store,
        Examiner(shelf, artifacts, executor, settings.max_unpacked_mib << 20),
        sources.fetch,
        JobLimits.of(settings),
        storage=store.identity(),
        wake=wake,
        new_id=new_job_id,
        now=lambda: datetime.now(UTC),
        csv_chunks=csv_chunks,
        error_chunks=error_lines,
    )
