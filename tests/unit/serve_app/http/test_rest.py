"""Everything but the hot path: paths, methods, errors, the lifespan."""

from __future__ import annotations

from typing import Any

import pytest

from fraud.access.scopes import ALL_SCOPES
from fraud.errors import StoreUnavailable
from tests.contracts.front import DECISION_ID, KEY, Front
from tests.unit.serve_app.http.test_asgi import assert_problem
from tests.unit.serve_app.http.test_traffic import value

LABELS = f"/v1/decisions/{DECISION_ID}/labels"


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.mark.parametrize("path", ["/v1/decisions/x", "/v1/nothing", "/docs"])
async def test_a_problem_is_not_kept_by_a_cache(front: Front, path: str) -> None:
    async with front.client() as client:
        response = await client.delete(path)
    assert response.status_code in (404, 405)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


NEEDS = {
    ("GET", "/v1/decisions"): "read",
    ("GET", f"/v1/decisions/{DECISION_ID}"): "read",
    ("GET", "/v1/plans/active"): "read",
    ("GET", "/v1/variants"): "read",
    ("POST", LABELS): "label",
    ("POST", "/v1/labels"): "label",
    ("POST", "/v1/labels/batch"): "label",
}


@pytest.mark.parametrize(("method", "path"), NEEDS)
async def test_a_key_needs_the_scope_of_the_route(front: Front, method: str, path: str) -> None:
    needed = NEEDS[method, path]
    others = tuple(scope for scope in ALL_SCOPES if scope not in (needed, "admin"))
    label = {"is_fraud": True, "source": "chargeback"}
    named = {**label, "transaction_id": "t-1"}
    body = {LABELS: label, "/v1/labels": named, "/v1/labels/batch": {"labels": [named]}}.get(path)
    front.grant(*others)
    async with front.client() as client:
        refused = await client.request(method, path, json=body)
    document = assert_problem(refused, 403, "insufficient-scope")
    assert f"`{needed}`" in document["detail"]
    assert not front.records.kept
    assert not front.records.searches
    for scope in (needed, "admin"):
        allowed = Front()
        allowed.grant(scope)
        async with allowed.client() as client:
            assert (await client.request(method, path, json=body)).status_code in (200, 201)


async def test_what_needs_no_key_needs_no_scope(front: Front) -> None:
    front.grant("label")
    for headers in ({}, None):
        async with front.client(headers) as client:
            for path in ("/v2/health/live", "/v2/health/ready", "/metrics", "/openapi.json"):
                assert (await client.get(path)).status_code == 200


async def test_a_dead_store_is_503(front: Front) -> None:
    front.records.error = front.plans.error = StoreUnavailable("down")
    async with front.client() as client:
        for path in ("/v1/variants", f"/v1/decisions/{DECISION_ID}"):
            assert_problem(await client.get(path), 503, "unavailable")


async def test_an_internal_error_is_a_500_that_reveals_nothing(front: Front) -> None:
    front.plans.error = KeyError("4111111111111111")
    async with front.client() as client:
        response = await client.get("/v1/variants")
    assert_problem(response, 500, "internal")
    assert "4111" not in response.text


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/metrics", "/docs"])
async def test_what_answers_get_answers_head(front: Front, path: str) -> None:
    async with front.client({}) as client:
        whole, head = await client.get(path), await client.head(path)
        assert head.status_code == whole.status_code == 200
        assert head.headers["content-type"] == whole.headers["content-type"]
        response = await client.head("/v1/decisions/batch")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


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


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        (f"/v1/decisions/{DECISION_ID}", "/v1/decisions/{decision_id}", 200),
        ("/v1/decisions", "/v1/decisions", 200),
        ("/v1/nothing", "other", 404),
    ],
)
async def test_an_answer_is_counted_by_its_route(
    front: Front, path: str, route: str, status: int
) -> None:
    labels = {"route": route, "status": str(status)}
    before = value("fraud_api_requests_total", **labels)
    async with front.client() as client:
        assert (await client.get(path)).status_code == status
    assert value("fraud_api_requests_total", **labels) == before + 1
