"""JobRunner: the deployment that runs the jobs whose files its node reaches."""

from __future__ import annotations

import os
import time
from typing import Final

import ray
from ray import serve

from bulk.engine.file_steps import FileSteps
from bulk.engine.job_run import Workshop
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.runner import Runner
from bulk.engine.submission import Planning
from bulk.jobs.store import job_store_of
from deployments.garbage_collection import tune_garbage_collection
from deployments.jobs.ray_executor import RayExecutor
from models.store.location import StorePlace
from settings.settings import Settings
from stores.poll import Poll, Wait
from stores.postgres.connect import open_pool
from telemetry.logs import log_to_replica

JOBS_AT_ONCE: Final = 2
"""So that a small file does not wait for a large one; they share the node's workers."""

_LOOK_S: Final = 2.0
"""While there is no job, one is looked for so often."""

_CLEAR_S: Final = 60.0
_ORPHANS_S: Final = 3600.0
_CONNECTIONS: Final = 2 + JOBS_AT_ONCE


@serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=256,
    graceful_shutdown_timeout_s=15.0,
    graceful_shutdown_wait_loop_s=0.5,
    health_check_period_s=5.0,
    ray_actor_options={"num_cpus": 0.05},
)
class JobRunner:
    """A thin shell over `bulk.engine.runner.Runner`. One on each node.

    Without a job it asks PostgreSQL every two seconds, and holds nothing large: files and models
    are read by processes that end when there is no work.
    """

    # Serve awaits a constructor that is a coroutine.
    async def __init__(self) -> None:  # type: ignore[misc]
        log_to_replica()
        settings = Settings.load()
        if settings.database_url is None:
            raise ValueError("DATABASE_URL must be set")
        self._pool = await open_pool(
            settings.database_url.get_secret_value(),
            size=_CONNECTIONS,
            timeout_s=settings.database_timeout_s,
            name="quorum-jobs",
        )
        node_id = ray.get_runtime_context().get_node_id()
        self._executor = RayExecutor(settings.job_workers, node_id)
        shelf = ReferenceShelf(self._pool, settings.owner_of)
        artifacts = StorePlace.of(settings.artifacts_url, settings)
        shop = Workshop(
            store=job_store_of(settings),
            executor=self._executor,
            steps=FileSteps(),
            planner=Planning(shelf, artifacts, self._executor),
            retention_days=settings.job_retention_days,
            max_unpacked_bytes=settings.max_unpacked_mib << 20,
            used=shelf.count_use,
        )
        self._runner = Runner(self._pool, shop, f"{node_id[:12]}/{os.getpid()}")
        self._polls = [
            *(Poll("jobs", self._run_next, _LOOK_S * JOBS_AT_ONCE) for _ in range(JOBS_AT_ONCE)),
            Poll("files of ended jobs", self._runner.clear, _CLEAR_S),
            Poll("files without a job", self._remove_orphans, _ORPHANS_S),
        ]
        for place, poll in enumerate(self._polls[:JOBS_AT_ONCE]):
            poll.start(place * _LOOK_S)  # they take turns
        for poll in self._polls[JOBS_AT_ONCE:]:
            poll.start()
        tune_garbage_collection()

    async def wake(self) -> None:
        """A job was queued: look for it now. If no call arrives, it is found all the same."""
        for poll in self._polls[:JOBS_AT_ONCE]:
            poll.wake()

    def check_health(self) -> None:
        """Raise RuntimeError if nothing runs jobs any more."""
        if not all(poll.alive for poll in self._polls):
            raise RuntimeError("jobs are not looked for any more")

    async def __del__(self) -> None:
        # The constructor may have failed half way. What runs is given back to another runner.
        for poll in getattr(self, "_polls", ()):
            await poll.close()
        if hasattr(self, "_executor"):
            await self._executor.close()
        if hasattr(self, "_pool"):
            await self._pool.close()

    async def _run_next(self) -> Wait | None:
        ran = await self._runner.run_next()
        return None if ran is None else Wait(0.0)  # another one may wait

    async def _remove_orphans(self) -> None:
        await self._runner.remove_orphans(int(time.time() * 1000))
