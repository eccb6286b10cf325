"""The pools of the variants."""

from __future__ import annotations

import pytest

from serve_app.gateway.pool import Pool
from tests.contracts.front import Front


@pytest.fixture
def front() -> Front:
    return Front()


async def test_variants_are_the_pools_and_the_plan(front: Front) -> None:
    front.pool_list.append(Pool("spare", "DEPLOYING", 0, 1, None))
    async with front.client() as client:
        response = await client.get("/v1/variants")
    document = response.json()
    assert document["plan"] == {"name": "default", "version": 3}
    shown = {v["name"]: v for v in document["variants"]}
    assert list(shown) == ["isolation-forest", "logistic", "spare", "xgboost"]
    assert shown["xgboost"] == {
        "name": "xgboost",
        "role": "voter",
        "weight": 0.6,
        "app_status": "RUNNING",
        "version": "9c1f02ab77de",
        "replicas": {"running": 1, "starting": 0},
    }
    assert shown["logistic"]["app_status"] == "MISSING"
    assert shown["isolation-forest"]["role"] == "anomaly"
    assert shown["spare"]["role"] == "unused"


async def test_without_a_plan_the_pools_are_still_shown(front: Front) -> None:
    front.plans.plan = None
    async with front.client() as client:
        document = (await client.get("/v1/variants")).json()
    assert document["plan"] is None
    assert [v["role"] for v in document["variants"]] == ["unused"]
