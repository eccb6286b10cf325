"""JobsIngress: the deployment that serves HTTP about jobs. A shell that assembles a JobsApp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.remote_method import RemoteMethod
from serve_app.http.express import open_lane
from serve_app.http.jobs_app import JobsApp
from serve_app.http.services import JobServices, RequestLimits
from serve_app.jobs.backend import open_backend
from settings.settings import Settings
from telemetry.logs import log_to_replica

_WAKE_S = 1.0


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
    """The HTTP front end of bulk scoring. Not that of decisions: an upload must not delay them.

    Args:
        runner: handle of JobRunner.
    """

    def __init__(self, runner: DeploymentHandle[Any]) -> None:
        log_to_replica()
        self._wake_runner = RemoteMethod(runner, "wake")

    async def __serve_build_asgi_app__(self) -> JobsApp:
        """Build the app in the replica: nothing of it is ever pickled."""
        settings = Settings.load()
        backend = await open_backend(settings, self._wake)

        @asynccontextmanager
        async def lifespan(_: object) -> AsyncIterator[None]:
            yield
            await backend.close()

        services = JobServices(
            authenticate=backend.authenticate,
            limits=RequestLimits.of(settings),
            jobs=backend.jobs,
        )
        # Serve's own middleware puts X-Request-ID on every answer.
        app = JobsApp(services, lifespan, adds_request_id=False)
        open_lane({}, app.express)
        return app

    async def _wake(self) -> None:
        # Runners look for jobs by themselves: without this call a job begins a little later.
        with suppress(Exception):
            async with asyncio.timeout(_WAKE_S):
                await self._wake_runner()
