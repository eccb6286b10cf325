"""JobsIngress: the deployment that serves HTTP about jobs. A shell that assembles a JobsApp."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.remote_method import RemoteMethod
from serve_app.http.express import open_lane
from serve_app.http.jobs_app import JobsApp
from serve_app.http.services import JobServices, RequestLimits
from serve_app.jobs.backend import FRONT_OPTIONS, open_backend
from settings.settings import Settings
from telemetry.logs import log_to_replica

_WAKE_S = 1.0


@serve.deployment(**FRONT_OPTIONS)
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
        services = JobServices(
            authenticate=backend.authenticate,
            limits=RequestLimits.of(settings),
            jobs=backend.jobs,
        )
        # Serve's own middleware puts X-Request-ID on every answer.
        app = JobsApp(services, backend.lifespan, adds_request_id=False)
        open_lane({}, app.express)
        return app

    async def _wake(self) -> None:
        # Runners look for jobs by themselves: without this call a job begins a little later.
        with suppress(Exception):
            async with asyncio.timeout(_WAKE_S):
                await self._wake_runner()
