"""The metrics of the node."""

from __future__ import annotations

import pytest

from tests.contracts.front import Front


@pytest.fixture
def front() -> Front:
    return Front()


async def test_metrics_are_prometheus_text(front: Front) -> None:
    async with front.client({}) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
