"""Reading decisions."""

from __future__ import annotations

import pytest

from tests.contracts.front import DECISION_ID, Front
from tests.unit.serve_app.http.test_asgi import assert_problem


@pytest.fixture
def front() -> Front:
    return Front()


async def test_a_decision_is_read_by_its_tenant(front: Front) -> None:
    async with front.client() as client:
        response = await client.get(f"/v1/decisions/{DECISION_ID}")
    assert response.status_code == 200
    assert response.json()["decision_id"] == DECISION_ID
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("decision_id", ["nothing", "%00", "0" * 2000, "..%2f..", "%ff"])
async def test_what_is_no_decision_is_404(front: Front, decision_id: str) -> None:
    async with front.client() as client:
        response = await client.get(f"/v1/decisions/{decision_id}")
    assert_problem(response, 404, "not-found")
