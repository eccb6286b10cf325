"""JobsIngress: the deployment that serves HTTP about jobs. A shell that assembles a JobsApp."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from bulk.output.csv_file import csv_chunks
from bulk.output.error_file import error_lines
from ray import serve

from bulk.engine.executor import Executor
from bulk.engine.process_pool import ProcessPool
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.submission import Examiner
from bulk.files.sources import FileSources
from bulk.jobs.store import job_store_of
from fraud.ids import decision_ids
from models.store.location import StorePlace
from serve_app.database import open_pools
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.job_records import JobRecords
from serve_app.gateway.jobs import JobLimits, Jobs
from serve_app.gateway.key_changes import KeyChanges
from serve_app.gateway.records import Records
from serve_app.http.express import open_lane
from serve_app.http.jobs_app import JobsApp
from serve_app.http.services import JobServices, RequestLimits
from settings.settings import Settings
from telemetry.logs import log_to_replica

EXAMINERS = 1
"""Files that are matched at a time on a node; the others wait."""


def now_ms() -> int:
    """Return milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_job_id() -> UUID:
    """Return a UUID of version 7."""
    return UUID(decision_ids(1, now_ms(), os.urandom)[0])


@serve.deployment(
    # Uploads and downloads take minutes each, and little of this process.
    max_ongoing_requests=1024,
    # A roll-out waits so long for uploads and downloads.
    graceful_shutdown_timeout_s=120.0,
    graceful_shutdown_wait_loop_s=0.5,
    health_check_period_s=5.0,
    ray_actor_options={"num_cpus": 0.1},
)
@serve.ingress()
class JobsIngress:
    """The HTTP front end of bulk scoring. Not that of decisions: an upload must not delay them."""

    def __init__(self) -> None:
        log_to_replica()

    async def __serve_build_asgi_app__(self) -> JobsApp:
        """Build the app in the replica: nothing of it is ever pickled."""
        settings = Settings.load()
        if settings.key_pepper is None:
            raise ValueError("QUORUM_KEY_PEPPER must be set")
        primary, replica = await open_pools(settings)
        records = Records(primary, replica, now_ms)
        authenticator = Authenticator(records.key, settings.key_pepper.get_secret_value())
        key_changes = KeyChanges(records.changed_keys, authenticator.check_again)
        key_changes.start()
        executor = ProcessPool(EXAMINERS)

        @asynccontextmanager
        async def lifespan(_: object) -> AsyncIterator[None]:
            yield
            await key_changes.close()
            await executor.close()
            for pool in (primary, replica):
                if pool is not None:
                    pool.terminate()

        services = JobServices(
            authenticate=authenticator.authenticate,
            limits=RequestLimits.of(settings),
            jobs=jobs_of(settings, primary, executor, self._wake),
        )
        # Serve's own middleware puts X-Request-ID on every answer.
        app = JobsApp(services, lifespan, adds_request_id=False)
        open_lane({}, app.express)
        return app

    async def _wake(self) -> None:
        """The runners look for jobs by themselves."""


def jobs_of(
    settings: Settings, pool: asyncpg.Pool, executor: Executor, wake: Callable[[], Awaitable[None]]
) -> Jobs:
    """Return the jobs on the stores that the settings name.

    Args:
        pool: the primary.
        executor: matches files.
        wake: tells the runners that a job is queued.
    """
    store = job_store_of(settings)
    shelf = ReferenceShelf(pool, settings.owner_of)
    artifacts = StorePlace.of(settings.artifacts_url, settings)
    sources = FileSources.of(settings.job_sources, settings.s3_endpoint_url)
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
