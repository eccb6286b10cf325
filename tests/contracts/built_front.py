"""A front of bulk scoring as a replica builds it, on jobs in memory, without Ray and stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import pytest

from serve_app.gateway.jobs.jobs import Jobs
from serve_app.http import express
from serve_app.http.services import Authenticate
from tests.contracts.front import PEPPER
from tests.contracts.job_front import JobFront


@dataclass(slots=True)
class FakeBackend:
    """A `serve_app.jobs.backend.Backend` without stores.

    Attributes:
        wake: tells the runners of a job, as the front does it; None before it is built.
        is_closed: whether its app has ended.
    """

    front: JobFront
    wake: Callable[[], Awaitable[None]] | None = None
    pepper: str = PEPPER
    is_closed: bool = False

    @property
    def jobs(self) -> Jobs:
        return self.front.jobs

    @property
    def authenticate(self) -> Authenticate:
        return self.front.services.authenticate

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        yield
        self.is_closed = True


@contextmanager
def stand_in(module: ModuleType, backend: FakeBackend) -> Iterator[None]:
    """Have an ingress built on this backend, and close its lane in the end."""

    async def open_backend(_: object, wake: Callable[[], Awaitable[None]]) -> FakeBackend:
        backend.wake = wake
        return backend

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_backend", open_backend)
        patch.setattr(module, "log_to_replica", lambda: None)
        yield
    express._open.clear()


def lane() -> httpx.AsyncClient:
    """Return a client of the lane that is open on this loop. Serve behind it answers with 299."""
    app: Any = _serve
    for middleware in express.middlewares():
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://front")


async def live(app: Any) -> None:
    """Start an app and end it, as its server does."""
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(events)

    async def send(_: Any) -> None:
        return None

    await app({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)


async def _serve(_: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})
