"""Plans over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fraud.access.scopes import Scope
from fraud.ensemble import Thresholds
from fraud.errors import ArtifactsUnavailable, StoreUnavailable
from fraud.plan import Plan
from tests.contracts.front import KEY, PLAN, Front, payment
from tests.unit.serve_app.http.test_asgi import assert_problem


@pytest.fixture
def front() -> Front:
    return Front()


async def test_the_active_plan_says_where_its_decisions_begin(front: Front) -> None:
    thresholds = Thresholds(0.3, 0.5, 0.9, anomaly_challenge=0.99)
    front.plans.plan = replace(PLAN, policy=replace(PLAN.ensemble, thresholds=thresholds))
    async with front.client() as client:
        document = (await client.get("/v1/plans/active")).json()
        answer = (await client.post("/v1/decisions", json=payment())).json()
        front.plans.plan = None
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


LEAF = {
    "kind": "ensemble",
    "members": [{"variant": "xgboost", "weight": 0.6}, {"variant": "logistic", "weight": 0.4}],
    "thresholds": {"challenge": 0.1, "review": 0.4, "block": 0.8},
}
DOCUMENT = {"name": "ours", **LEAF}


def split(*weights: float) -> dict[str, Any]:
    arms = [{"name": f"arm{i}", "weight": w, "plan": LEAF} for i, w in enumerate(weights)]
    return {"name": "split", "kind": "ab", "salt": "s", "arms": arms}


async def posted(front: Front, path: str, body: Any) -> httpx.Response:
    """Send a body that may hold what JSON does not allow."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with front.client() as client:
        headers = {"content-type": "application/json"}
        return await client.post(path, content=content, headers=headers)


async def test_an_active_plan_that_splits_has_its_arms(front: Front) -> None:
    front.plans.plan = Plan.from_document({**split(90, 10), "version": 2})
    async with front.client() as client:
        document = (await client.get("/v1/plans/active")).json()
    assert [arm["arm"] for arm in document["arms"]] == ["arm0", "arm1"]
    assert document["arms"][0]["members"] == document["members"]
    assert (document["kind"], document["house"]) == ("ab", True)


async def test_a_plan_is_stored_read_and_activated(front: Front) -> None:
    answer = await posted(front, "/v1/plans", {"document": DOCUMENT, "reason": "because"})
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert (stored["name"], stored["version"], stored["active"]) == ("ours", 1, False)
    assert (stored["author"], stored["reason"]) == (f"key {KEY.key_id}", "because")
    assert stored["missing"] == ["logistic"], "it has no pool"
    assert stored["document"]["version"] == 1
    async with front.client() as client:
        (listed,) = (await client.get("/v1/plans?name=ours&limit=5")).json()["plans"]
        assert "document" not in listed
        read = (await client.get("/v1/plans/ours/1")).json()
        assert read["document"] == stored["document"]
        assert "missing" not in read
        done = (await client.post("/v1/plans/ours/1/activate")).json()
        assert done == {
            "plan": {"name": "ours", "version": 1},
            "previous": None,
            "changed": True,
            "missing": [],
        }
        lost = await client.post(
            "/v1/plans/ours/1/activate", json={"expected": {"name": "other", "version": 2}}
        )
        assert_problem(lost, 409, "conflict")
        body = {"expected": None, "reason": "back"}
        assert (await client.post("/v1/plans/ours/1/activate", json=body)).status_code == 200
    said = [(reason, expected) for *_, reason, expected in front.plans.activated]
    assert said == [("", ...), ("back", None)]


@pytest.mark.parametrize(
    ("scope", "allowed"), [("plans", True), ("admin", True), ("read", False), ("decide", False)]
)
async def test_changing_plans_needs_the_scope(front: Front, scope: Scope, allowed: bool) -> None:
    front.grant(scope)
    answer = await posted(front, "/v1/plans", {"document": DOCUMENT})
    assert answer.status_code == (201 if allowed else 403)
    answer = await posted(front, "/v1/plans/ours/1/activate", {})
    assert answer.status_code == (200 if allowed else 403)


async def test_reading_plans_needs_the_scope(front: Front) -> None:
    front.grant("plans")
    async with front.client() as client:
        for path in ("/v1/plans", "/v1/plans/active", "/v1/plans/ours/1"):
            assert_problem(await client.get(path), 403, "insufficient-scope")


def changed(place: str, value: Any, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    """A copy of a document with another value at a pointer."""
    copy = json.loads(json.dumps(document))
    *way, last = place.strip("/").split("/")
    node = copy
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    node[last] = value
    return {"document": copy}


NAN = float("nan")
CYCLE = {
    "name": "round",
    "plans": {"a": {**split(50, 50), "arms": [{"name": "x", "weight": 100, "plan": "b"}]}},
    "kind": "cascade",
    "stages": [{"plan": "a"}, {"plan": LEAF}],
}
CYCLE["plans"]["b"] = "a"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed("/members/0/weight", NAN), "/document/members/0/weight"),
        (changed("/members/0/weight", -1), "/document/members/0/weight"),
        (changed("/members/1/variant", "nobody"), "/document/members/1/variant"),
        (changed("/members/1/variant", "xgboost@0123456789ab"), "/document/members/1/variant"),
        (changed("/members/1/variant", "acme/xgboost"), "/document/members/1/variant"),
        (changed("/members/1/variant", "Not A Name"), "/document/members/1/variant"),
        (changed("/thresholds/review", 0.05), "/document/thresholds"),
        (changed("/thresholds/block", 2), "/document/thresholds/block"),
        (changed("/kind", "magic"), "/document/kind"),
        (changed("/name", "a/b"), "/document/name"),
        (changed("/name", "active"), "/document/name"),
        (changed("/name", "nul\0"), "/document/name"),
        (changed("/name", "\ud800"), "/document/name"),
        (changed("/deadline_ms", 10**400), "/document/deadline_ms"),
        ({"document": split(90, 11)}, "/document"),
        ({"document": split(*[100 / 20] * 20)}, "/document/arms"),
        ({"document": CYCLE}, "/document"),
        ({"document": [1]}, "/document"),
        ({"document": None}, "/document"),
        ({}, "/document"),
        ([], ""),
        ({"document": DOCUMENT, "reason": 5}, "/reason"),
        ({"document": DOCUMENT, "reason": "x" * 501}, "/reason"),
        ({"document": DOCUMENT, "activate": True}, "/activate"),
    ],
)
async def test_a_faulty_plan_is_refused_with_its_place_and_not_stored(
    front: Front, body: Any, pointer: str
) -> None:
    answer = await posted(front, "/v1/plans", body)
    problem = assert_problem(answer, 422, "invalid-input")
    pointers = [error["pointer"] for error in problem["errors"]]
    assert any(found.startswith(pointer) for found in pointers), problem
    assert front.plans.stored == []


async def test_all_faults_are_told_at_once(front: Front) -> None:
    document = changed("/members/0/weight", 0)["document"]
    document["thresholds"]["block"] = 3
    document["extra"] = 1
    problem = assert_problem(
        await posted(front, "/v1/plans", {"document": document}), 422, "invalid-input"
    )
    assert {error["pointer"] for error in problem["errors"]} >= {
        "/document/members/0/weight",
        "/document/thresholds/block",
        "/document/extra",
    }


async def test_ten_thousand_segments_and_deep_nesting_are_refused(front: Front) -> None:
    segment = {"name": "s", "when": {"currency": ["EUR"]}, "plan": "leaf"}
    segments = [{**segment, "name": f"s{i}"} for i in range(10_000)]
    document = {
        **{"name": "many", "kind": "segments", "plans": {"leaf": LEAF}},
        **{"segments": segments, "default": "leaf"},
    }
    answer = await posted(front, "/v1/plans", {"document": document})
    assert_problem(answer, 422, "invalid-input")
    deep: Any = LEAF
    for _ in range(40):
        deep = {**split(100, 0), "arms": [{"name": "a", "weight": 100, "plan": deep}]}
    assert_problem(await posted(front, "/v1/plans", {"document": deep}), 422, "invalid-input")
    nested = b'{"document": ' + b"[" * 100_000
    assert_problem(await posted(front, "/v1/plans", nested), 400, "malformed-body")
    huge = b'{"document": {"name": "' + b"x" * 2 * 1024 * 1024 + b'"}}'
    assert_problem(await posted(front, "/v1/plans", huge), 413, "body-too-large")
    assert front.plans.stored == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"expected": 5}, "/expected"),
        ({"expected": {"name": 1, "version": 1}}, "/expected/name"),
        ({"expected": {"name": "a", "version": 1.5}}, "/expected/version"),
        ({"expected": {"name": "a", "version": 0}}, "/expected/version"),
        ({"expected": {"name": "a", "version": 10**12}}, "/expected/version"),
        ({"expected": {"name": "a", "version": 1, "x": 1}}, "/expected/x"),
        ({"reason": ["x"]}, "/reason"),
        ({"what": 1}, "/what"),
        (["a"], ""),
    ],
)
async def test_a_faulty_activation_is_refused_with_its_place(
    front: Front, body: Any, pointer: str
) -> None:
    problem = assert_problem(
        await posted(front, "/v1/plans/ours/1/activate", body), 422, "invalid-input"
    )
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert front.plans.activated == []


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/plans/none/1", "/v1/plans/ours/0", "/v1/plans/ours/x", "/v1/plans/ours/-1"),
        *("/v1/plans/ours/99999999999", "/v1/plans/a%00b/1", "/v1/plans/ours/%D9%A1"),
        "/v1/plans/ours/1?owner=house",
    ],
)
async def test_what_is_no_plan_is_not_found(front: Front, path: str) -> None:
    await posted(front, "/v1/plans", {"document": DOCUMENT})
    async with front.client() as client:
        assert_problem(await client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("name=", "/name"),
        ("tenant=x", "/tenant"),
    ],
)
async def test_a_faulty_query_is_refused(front: Front, query: str, pointer: str) -> None:
    async with front.client() as client:
        answer = await client.get(f"/v1/plans?{query}")
        problem = assert_problem(answer, 422, "invalid-input")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        assert_problem(await client.get("/v1/plans/a/1?owner=me"), 422, "invalid-input")


async def test_stores_that_are_down_are_unavailable(front: Front) -> None:
    for error in (StoreUnavailable("down"), ArtifactsUnavailable("down")):
        front.plans.error = error
        async with front.client() as client:
            for path in ("/v1/plans", "/v1/plans/active", "/v1/plans/a/1", "/v1/variants"):
                assert_problem(await client.get(path), 503, "unavailable")
        answer = await posted(front, "/v1/plans", {"document": DOCUMENT})
        assert_problem(answer, 503, "unavailable")
