"""ConsoleIngress: the deployment that serves the console. A shell that assembles a Site."""

from __future__ import annotations

from ray import serve

from serve_app.console.parts import Parts
from serve_app.console.site import Site
from serve_app.http.express import open_lane
from serve_app.jobs.backend import FRONT_OPTIONS, open_backend
from settings.settings import Settings
from telemetry.logs import log_to_replica


@serve.deployment(**FRONT_OPTIONS)
@serve.ingress()
class ConsoleIngress:
    """The pages for people. A pool of its own: whatever is looked at delays no decision."""

    def __init__(self) -> None:
        log_to_replica()

    async def __serve_build_asgi_app__(self) -> Site:
        """Build the app in the replica: nothing of it is ever pickled."""
        backend = await open_backend(Settings.load(), _wake)
        parts = Parts(authenticate=backend.authenticate, jobs=backend.jobs, pepper=backend.pepper)
        # Serve's own middleware puts X-Request-ID on every answer.
        site = Site(parts, backend.lifespan, adds_request_id=False)
        open_lane({}, site.express)
        return site


async def _wake() -> None:
    """Runners look for jobs every two seconds: soon enough for people."""
