"""Everything that is not the hot path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fraud.errors import StoreUnavailable, Unavailable
from fraud.plan import Thresholds
from serve_app.gateway.labels import NewLabel
from serve_app.gateway.pool import Pool
from tests.contracts.front import DECISION_ID, KEY, PLAN, Front, payment
from tests.unit.serve_app.http.test_asgi import assert_problem

LABELS = f"/v1/decisions/{DECISION_ID}/labels"


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


@pytest.mark.parametrize("path", ["/v1/decisions/x", "/v1/nothing", "/docs"])
async def test_a_problem_is_not_kept_by_a_cache(front: Front, path: str) -> None:
    async with front.client() as client:
        response = await client.delete(path)
    assert response.status_code in (404, 405)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_label_is_kept_once(front: Front) -> None:
    said = {"is_fraud": True, "source": "chargeback", "known_at": "2026-02-28T00:00:00Z"}
    async with front.client() as client:
        first = await client.post(LABELS, json=said)
        again = await client.post(LABELS, json=said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["known_at"] == "2026-02-28T00:00:00Z"
    assert first.json() == again.json()
    assert len(front.records.kept) == 1


async def test_a_label_without_a_time_is_known_now(front: Front) -> None:
    async with front.client() as client:
        response = await client.post(LABELS, json={"is_fraud": False, "source": "analyst"})
    assert response.status_code == 201
    assert front.records.kept == [NewLabel(False, "analyst", None)]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {("/is_fraud", "missing"), ("/source", "missing")}),
        ([], {("", "type")}),
        ({"is_fraud": 1, "source": ""}, {("/is_fraud", "type"), ("/source", "empty")}),
        ({"is_fraud": None, "source": None}, {("/is_fraud", "type"), ("/source", "type")}),
        (
            {"is_fraud": True, "source": "a\x00", "known_at": "2026-02-28T00:00:00", "why": 1},
            {
                ("/source", "unprintable"),
                ("/known_at", "no_timezone"),
                ("/why", "unknown_field"),
            },
        ),
        (
            {"is_fraud": True, "source": "x-a", "known_at": "2027-01-01T00:00:00Z"},
            {("/known_at", "too_far_in_future")},
        ),
    ],
)
async def test_a_wrong_label_names_each_field(
    front: Front, body: Any, faults: set[tuple[str, str]]
) -> None:
    async with front.client() as client:
        response = await client.post(LABELS, json=body)
    document = assert_problem(response, 422, "invalid-input")
    assert {(e["pointer"], e["code"]) for e in document["errors"]} == faults
    assert not front.records.kept


async def test_a_label_s_body_is_held_to_the_same_rules(front: Front) -> None:
    json_type = {"content-type": "application/json"}
    async with front.client() as client:
        assert_problem(
            await client.post(LABELS, content=b"{", headers=json_type), 400, "malformed-body"
        )
        assert_problem(await client.post(LABELS, content=b"{}"), 415, "unsupported-media-type")
        large = b" " * (256 * 1024 + 1)
        assert_problem(
            await client.post(LABELS, content=large, headers=json_type), 413, "body-too-large"
        )


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
    front.records.plan = None
    async with front.client() as client:
        document = (await client.get("/v1/variants")).json()
    assert document["plan"] is None
    assert [v["role"] for v in document["variants"]] == ["unused"]


async def test_the_active_plan_says_where_its_decisions_begin(front: Front) -> None:
    front.records.plan = replace(PLAN, thresholds=Thresholds(0.3, 0.5, 0.9, anomaly_challenge=0.99))
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


async def test_a_dead_store_is_503(front: Front) -> None:
    front.records.error = StoreUnavailable("down")
    async with front.client() as client:
        for path in ("/v1/variants", f"/v1/decisions/{DECISION_ID}"):
            assert_problem(await client.get(path), 503, "unavailable")


async def test_our_own_mistake_is_a_500_that_tells_nothing(front: Front) -> None:
    front.records.error = KeyError("4111111111111111")
    async with front.client() as client:
        response = await client.get("/v1/variants")
    assert_problem(response, 500, "internal")
    assert "4111" not in response.text


async def test_health_needs_no_key(front: Front) -> None:
    async with front.client({}) as client:
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        front.unready = Unavailable("no plan has been loaded")
        response = await client.get("/v2/health/ready")
        assert response.status_code == 503
        assert response.json()["ready"] is False
        assert (await client.get("/v2/health/live")).status_code == 200


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/metrics", "/docs"])
async def test_what_answers_get_answers_head(front: Front, path: str) -> None:
    async with front.client({}) as client:
        whole, head = await client.get(path), await client.head(path)
        assert head.status_code == whole.status_code == 200
        assert head.headers["content-type"] == whole.headers["content-type"]
        response = await client.head("/v1/decisions/batch")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_metrics_are_prometheus_text(front: Front) -> None:
    async with front.client({}) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/decisions/", "/v1/decisions/a/b/c", "/%00", "/docs/", "/v1//decisions"],
)
async def test_unknown_paths_are_404(front: Front, path: str) -> None:
    async with front.client() as client:
        assert_problem(await client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/variants", "GET"),
        ("DELETE", f"/v1/decisions/{DECISION_ID}", "GET"),
        ("GET", LABELS, "POST"),
        ("PUT", "/metrics", "GET"),
    ],
)
async def test_unknown_methods_are_405(front: Front, method: str, path: str, allow: str) -> None:
    async with front.client() as client:
        response = await client.request(method, path)
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow


async def test_the_lifespan_reaches_the_rest(front: Front) -> None:
    sent: list[dict[str, Any]] = []
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(events)

    async def send(message: Any) -> None:
        sent.append(message)

    await front.app({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)
    assert [m["type"] for m in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_no_key_appears_in_any_answer(front: Front) -> None:
    async with front.client() as client:
        for path in ("/v1/variants", "/nowhere", "/v1/decisions/x", "/docs", "/openapi.json"):
            response = await client.get(path)
            assert KEY.secret not in response.text + str(response.headers)
