"""Liveness and readiness, and failures that do not stop decisions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fraud.errors import Unavailable
from tests.contracts.front import Front


@pytest.fixture
def front() -> Front:
    return Front()


async def test_health_needs_no_key(front: Front) -> None:
    async with front.client({}) as client:
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        front.unready = Unavailable("no plan has been loaded")
        response = await client.get("/v2/health/ready")
        assert response.status_code == 503
        assert response.json()["ready"] is False
        assert (await client.get("/v2/health/live")).status_code == 200


async def test_a_postgres_that_takes_no_writes_is_reported_and_decisions_go_on(
    front: Front,
) -> None:
    trouble = "PostgreSQL accepts no writes"
    async with front.client({}) as client:
        front.readiness = SimpleNamespace(troubles=(trouble,))
        answer = await client.get("/v2/health/ready")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "degraded": [trouble]})
        front.readiness = SimpleNamespace(troubles=())
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
