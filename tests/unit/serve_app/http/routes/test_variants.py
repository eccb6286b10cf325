"""The pools of the variants."""

from __future__ import annotations

import pytest

from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.shadow import Shadow, ShadowPolicy
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
        "uses": [{"arm": "", "role": "voter", "weight": 0.6}],
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


async def test_a_variant_has_a_part_in_each_arm_and_shadow(front: Front) -> None:
    def leaf(*members: Member, anomaly: str | None = None) -> Ensemble:
        return Ensemble(members, Thresholds(0.1, 0.2, 0.3), anomaly)

    arms = AB(
        (
            Arm("control", 90, leaf(Member("xgboost", 0.6), Member("logistic", 0.4))),
            Arm("new", 10, leaf(Member("xgboost@2fd6da9b13f3", 1.0), anomaly="logistic")),
        )
    )
    policy = Shadow(arms, (ShadowPolicy("candidate", leaf(Member("xgboost", 1), Member("x", 1))),))
    front.plans.plan = Plan("default", 4, policy)
    async with front.client() as client:
        document = (await client.get("/v1/variants")).json()
    shown = {v["name"]: (v["role"], v["weight"]) for v in document["variants"]}
    assert shown == {
        "xgboost": ("voter", 0.6),
        "logistic": ("voter", 0.4),
        "xgboost@2fd6da9b13f3": ("voter", 1.0),
        "x": ("shadow", None),
    }
    uses = {v["name"]: v["uses"] for v in document["variants"]}
    assert uses["logistic"] == [
        {"arm": "control", "role": "voter", "weight": 0.4},
        {"arm": "new", "role": "anomaly", "weight": None},
    ]
    assert [use["arm"] for use in uses["xgboost"]] == ["control", "candidate"]


async def test_pools_of_other_tenants_are_not_shown(front: Front) -> None:
    front.pool_list += [
        Pool(name, "RUNNING", 1, 0, None)
        for name in ("acme/xgboost", "other/xgboost", "xgboost@2fd6da9b13f3")
    ]
    async with front.client() as client:
        document = (await client.get("/v1/variants")).json()
    shown = [v["name"] for v in document["variants"] if v["app_status"] == "RUNNING"]
    assert shown == ["acme/xgboost", "xgboost", "xgboost@2fd6da9b13f3"]
