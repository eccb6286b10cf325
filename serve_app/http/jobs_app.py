"""The HTTP adapter of bulk scoring as a plain ASGI app. Independent of Ray."""

from __future__ import annotations

from serve_app.http.exchange import Scope
from serve_app.http.job_routes import JOB_ROUTES
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.lane_app import LaneApp
from serve_app.http.rest import Lifespan, build_rest
from serve_app.http.services import JobServices


class JobsApp(LaneApp):
    """The ASGI app.

    Args:
        services: the parts behind the routes.
        lifespan: what is opened before the first request and closed after the last.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.
    """

    def __init__(
        self,
        services: JobServices,
        lifespan: Lifespan | None = None,
        *,
        adds_request_id: bool = True,
    ) -> None:
        rest = build_rest(services, lifespan, JOB_ROUTES)
        super().__init__(rest, PATH, _placed, adds_request_id=adds_request_id)


def _placed(scope: Scope) -> Scope:
    """The routes are whole paths: the prefix of the application is not taken off them."""
    return {**scope, "root_path": ""}
