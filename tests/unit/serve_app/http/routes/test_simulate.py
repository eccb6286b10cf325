"""Simulations over HTTP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fraud.ensemble import Thresholds
from fraud.errors import Overloaded, Unavailable
from tests.contracts.front import PLAN, Front
from tests.unit.serve_app.http.routes.test_plans import DOCUMENT, posted
from tests.unit.serve_app.http.test_asgi import assert_problem

PATH = "/v1/plans/simulate"
STORED = "/v1/plans/ours/1/simulate"
OWN = {**DOCUMENT, "thresholds": {"challenge": 0.3, "review": 0.5, "block": 0.9}}


@pytest.fixture
def front() -> Front:
    return Front()


async def test_the_recorded_plan_flips_nothing_and_another_does(front: Front) -> None:
    own = (await posted(front, PATH, {"document": OWN, "last": 30})).json()
    assert (own["decisions"], own["flipped"], own["flips"], own["last"]) == (30, 0, [], 30)
    assert own["plan"] == {"name": "ours", "version": 1}
    assert own["recorded_plans"] == [{"name": "default", "version": 3, "decisions": 30}]
    other = (await posted(front, PATH, {"document": DOCUMENT})).json()
    assert other["last"] == 5000
    assert other["flipped"] == sum(flip["decisions"] for flip in other["flips"]) > 0
    assert {flip["decision_id"] for flip in other["sample"]}
    assert other["labels"]["mature"] == 20
    for value in other["labels"]["value"]:
        assert Decimal(value["after"]) <= Decimal(value["fraud"])
    assert front.plans.stored == []


async def test_a_stored_plan_is_simulated_without_a_body_too(front: Front) -> None:
    assert (await posted(front, "/v1/plans", {"document": DOCUMENT})).status_code == 201
    async with front.client() as client:
        whole = await client.post(STORED)
    assert whole.status_code == 200, whole.text
    some = (await posted(front, STORED, {"last": 7})).json()
    assert (whole.json()["decisions"], some["decisions"]) == (40, 7)
    assert [(tenant, last) for tenant, _, last in front.simulated] == [("acme", 5000), ("acme", 7)]


@pytest.mark.parametrize("path", ["/v1/plans/ours/9/simulate", "/v1/plans/ours/x/simulate"])
async def test_an_unknown_plan_is_404(front: Front, path: str) -> None:
    assert_problem(await posted(front, path, {}), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ({}, ["/document"]),
        ({"document": 3}, ["/document"]),
        ({"document": DOCUMENT, "last": 0}, ["/last"]),
        ({"document": DOCUMENT, "last": 20_001}, ["/last"]),
        ({"document": DOCUMENT, "last": 1.5}, ["/last"]),
        ({"document": DOCUMENT, "last": "7"}, ["/last"]),
        ({"document": DOCUMENT, "latest": 7}, ["/latest"]),
        ({"document": {**DOCUMENT, "kind": "?"}}, ["/document/kind"]),
        (
            {"document": {**DOCUMENT, "anomaly": "rival/xgboost"}},
            ["/document/anomaly"],
        ),
    ],
)
async def test_a_wrong_body_names_the_place_and_runs_nothing(
    front: Front, body: Any, pointers: list[str]
) -> None:
    answer = await posted(front, PATH, body)
    assert_problem(answer, 422, "invalid-input")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert front.simulated == []


async def test_a_wrong_last_of_a_stored_plan_is_422(front: Front) -> None:
    await posted(front, "/v1/plans", {"document": DOCUMENT})
    for body in ([], {"last": -1}, {"document": DOCUMENT}):
        assert_problem(await posted(front, STORED, body), 422, "invalid-input")


async def test_one_at_a_time(front: Front) -> None:
    front.simulation_error = Overloaded("another simulation runs on this node", 5.0)
    answer = await posted(front, PATH, {"document": DOCUMENT})
    assert_problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"] == "5"
    front.simulation_error = Unavailable("the simulation took too long")
    assert_problem(await posted(front, PATH, {"document": DOCUMENT}), 503, "unavailable")


async def test_simulating_needs_the_scope_plans(front: Front) -> None:
    front.grant("decide", "read", "label")
    for path in (PATH, STORED):
        answer = await posted(front, path, {"document": DOCUMENT})
        assert_problem(answer, 403, "insufficient-scope")
    assert front.simulated == []


async def test_costs_and_arms_of_the_plan_are_in_the_answer(front: Front) -> None:
    thresholds = Thresholds(0.1, 0.2, 0.3)
    arm = replace(PLAN.ensemble, anomaly=None, thresholds=thresholds).to_document()
    document = {
        "name": "split",
        "kind": "ab",
        "arms": [
            {"name": "old", "weight": 50, "plan": arm},
            {"name": "new", "weight": 50, "plan": arm},
        ],
        "costs": {"review": 5, "false_block": 20},
    }
    found = (await posted(front, PATH, {"document": document})).json()
    assert {segment["name"] for segment in found["segments"]["arm"]} == {"old", "new"}
    assert {cost["currency"] for cost in found["labels"]["cost"]}
