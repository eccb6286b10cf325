"""Labels: what is kept, and how wrong ones are refused."""

from __future__ import annotations

from typing import Any

import pytest

from serve_app.gateway.labels import NewLabel
from tests.contracts.front import DECISION_ID, Front
from tests.unit.serve_app.http.test_asgi import assert_problem

LABELS = f"/v1/decisions/{DECISION_ID}/labels"


@pytest.fixture
def front() -> Front:
    return Front()


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
