"""Rate limits as a client sees them: statuses, documents, headers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from fraud.access.tiers import TIERS
from fraud.errors import Overloaded, StoreUnavailable
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit.limits import Standing
from serve_app.http.rate_limit_headers import policy_header, standing_headers
from tests.contracts.front import FREE_KEY, Front, payment
from tests.unit.serve_app.http.test_asgi import assert_problem

pytestmark = pytest.mark.virtual_time

FREE = {"x-api-key": str(FREE_KEY)}
POLICY = '"key";q=50;w=1, "customer";q=60;w=60'
ONE, MANY = "/v1/decisions", "/v1/decisions/batch"


def rows(n: int, customer: str | None = None) -> dict[str, Any]:
    return {
        "transactions": [
            payment(transaction_id=f"t-{i}", customer_id=customer or f"c-{i}") for i in range(n)
        ]
    }


@pytest.fixture
def front() -> Front:
    return Front()


async def test_every_answer_to_a_known_caller_says_how_its_key_stands(front: Front) -> None:
    async with front.client(FREE) as client:
        answers = [
            await client.post(ONE, json=payment()),
            await client.post(MANY, json=rows(2)),
            await client.post(ONE, json=payment(amount=-1)),
            await client.post(MANY, content=b"{", headers={"content-type": "application/json"}),
            await client.post(ONE, content=b"{}", headers={"content-type": "text/plain"}),
            await client.post(
                ONE, content=b" " * 300_000, headers={"content-type": "application/json"}
            ),
        ]
        front.combiner.errors = [Overloaded("full")]
        answers.append(await client.post(ONE, json=payment()))
        answers.append(await client.post(ONE, json=payment(transaction_id="poison")))
    assert [a.status_code for a in answers] == [200, 200, 422, 400, 415, 413, 503, 500]
    assert {a.headers["ratelimit-policy"] for a in answers} == {POLICY}
    left = [a.headers["ratelimit"] for a in answers]
    assert left == [f'"key";r={r};t=2' for r in (49, 47, 47, 47, 47, 47, 46, 45)]


async def test_nothing_is_told_to_strangers(front: Front) -> None:
    async with front.client({}) as client:
        for response in (await client.post(ONE, json=payment()), await client.get(ONE)):
            assert not {"ratelimit", "ratelimit-policy"} & set(response.headers)


async def test_a_key_over_its_limit_is_told_when_to_come_back(front: Front) -> None:
    async with front.client(FREE) as client:
        assert (await client.post(MANY, json=rows(49))).status_code == 200
        assert (await client.post(ONE, json=payment())).status_code == 200
        calls = len(front.combiner.calls)
        for path, body in ((ONE, payment()), (MANY, rows(3)), (ONE, payment(amount=-1))):
            response = await client.post(path, json=body)
            problem = assert_problem(response, 429, "rate-limited")
            assert "at most 50 transactions of one API key" in problem["detail"]
            seconds = int(response.headers["retry-after"])
            assert 1 <= seconds <= 2
            assert response.headers.get_list("ratelimit") == [f'"key";r=0;t={seconds}']
            assert response.headers["ratelimit-policy"] == POLICY
        assert len(front.combiner.calls) == calls
        front.limiter.now_us += seconds * 1_000_000
        assert (await client.post(ONE, json=payment())).status_code == 200
    # Other keys are not affected.
    async with front.client() as client:
        assert (await client.post(ONE, json=payment())).status_code == 200


async def test_rows_of_a_batch_that_are_over_a_limit_are_refused_in_their_place(
    front: Front,
) -> None:
    body = rows(55)
    body["transactions"][3] = payment(currency="XXQ")
    async with front.client(FREE) as client:
        response = await client.post(MANY, json=body)
    assert response.status_code == 200
    results = response.json()["results"]
    # A wrong row does not count: of the other 54 the first fifty are decided.
    assert [r.get("status", 200) for r in results] == [200] * 3 + [422] + [200] * 47 + [429] * 4
    assert results[54]["type"] == "urn:quorum:problem:rate-limited"
    assert response.headers["ratelimit"].startswith('"key";r=0;t=')
    assert [len(call) for call in front.combiner.calls] == [50]


async def test_a_batch_of_which_nothing_is_admitted_is_one_429(front: Front) -> None:
    async with front.client(FREE) as client:
        for _ in range(2):
            assert (await client.post(MANY, json=rows(30, "hot"))).status_code == 200
            front.limiter.now_us += 2_000_000
        response = await client.post(MANY, json=rows(30, "hot"))
        problem = assert_problem(response, 429, "rate-limited")
        assert "of one customer" in problem["detail"]
        seconds = int(response.headers["retry-after"])
        assert 50 <= seconds <= 66
        assert response.headers.get_list("ratelimit") == [f'"customer";r=0;t={seconds}']
        # The key has rows left, and so have other customers.
        assert (await client.post(ONE, json=payment(customer_id="cold"))).status_code == 200


async def test_without_redis_everybody_is_decided_and_limits_hold(front: Front) -> None:
    front.limiter.error = StoreUnavailable("gone")
    async with front.client(FREE) as client:
        response = await client.post(MANY, json=rows(50))
        assert [r.get("status", 200) for r in response.json()["results"]] == [200] * 50
        assert (await client.post(ONE, json=payment())).status_code == 429


async def test_callers_at_the_same_time_get_their_own_answers_whoever_is_refused(
    front: Front,
) -> None:
    front.combiner.gate = lambda: asyncio.sleep(0.001)

    async def ask(client: httpx.AsyncClient, name: str) -> httpx.Response:
        return await client.post(ONE, json=payment(transaction_id=name, customer_id=name))

    async with front.client(FREE) as free, front.client() as standard:
        names = [f"{'poison-' if i % 17 == 3 else ''}{i}" for i in range(120)]
        clients = [free if i % 2 else standard for i in range(120)]
        responses = await asyncio.gather(*(ask(c, n) for c, n in zip(clients, names, strict=True)))
    refused = 0
    for name, client, response in zip(names, clients, responses, strict=True):
        if response.status_code == 429:
            assert client is free
            refused += 1
        elif name.startswith("poison"):
            assert response.status_code == 500
        else:
            assert response.json()["transaction_id"] == name
    assert refused == 10


POLICY_HEADER = b'"key";q=50;w=1, "customer";q=60;w=60'


def test_the_policy_names_every_limit_of_the_tier() -> None:
    free = Principal("k", "acme", "free")
    assert policy_header(free) == ((b"ratelimit-policy", POLICY_HEADER),)
    unknown, standard = (Principal("k", "acme", tier) for tier in ("of-tomorrow", "standard"))
    assert policy_header(unknown) == policy_header(standard)


def test_the_standing_is_what_is_left_and_for_how_long() -> None:
    headers = dict(standing_headers(Standing(TIERS["free"], 47, 2)))
    assert headers == {b"ratelimit-policy": POLICY_HEADER, b"ratelimit": b'"key";r=47;t=2'}
