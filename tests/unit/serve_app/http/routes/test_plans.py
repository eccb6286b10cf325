"""The active plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraud.ensemble import Thresholds
from tests.contracts.front import PLAN, Front, payment
from tests.unit.serve_app.http.test_asgi import assert_problem


@pytest.fixture
def front() -> Front:
    return Front()


async def test_the_active_plan_says_where_its_decisions_begin(front: Front) -> None:
    thresholds = Thresholds(0.3, 0.5, 0.9, anomaly_challenge=0.99)
    front.records.plan = replace(PLAN, policy=replace(PLAN.ensemble, thresholds=thresholds))
    async with front.client() as client:
        document = (await client.get("/v1/plans/active")).json()
        answer = (await client.post("/v1/decisions", json=payment())).json()
        front.records.plan = None
        assert_problem(await client.get("/v1/plans/active"), 404, "not-found")
        assert (await client.get("/v1/plans/active", headers={"x-api-key": "x"})).status_code == 401
    assert (document["name"], document["version"]) == ("default", 3)
    assert document["members"] == [
        {"name": "xgboost", "weight": 0.6},
        {"name": "logistic", "weight": 0.4},
    ]
    rows = [tuple(row.values()) for row in document["decisions"]]
    assert rows == [
        ("approve", "low", 0.0, 0.3, 0, 24),
        ("challenge", "medium", 0.3, 0.5, 25, 49),
        ("review", "high", 0.5, 0.9, 50, 74),
        ("block", "critical", 0.9, 1.0, 75, 99),
    ]
    assert document["anomaly"] == {
        "name": "isolation-forest",
        "challenge_from": 0.99,
        "risk_score": 25,
    }
    own = next(row for row in document["decisions"] if row["decision"] == answer["decision"])
    assert own["risk_level"] == answer["risk_level"]
    assert own["from_score"] <= answer["risk_score"] <= own["to_score"]
    assert own["from_probability"] <= answer["probability"] <= own["below_probability"]
