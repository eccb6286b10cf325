"""The hot path, end to end without Ray."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.errors import LogUnavailable, Overloaded, StoreUnavailable
from tests.contracts.front import KEY, Front, payment, probability_of
from tests.contracts.waiting import until

DECIDE = "/v1/decisions"
HEADERS = [(b"x-api-key", str(KEY).encode()), (b"content-type", b"application/json")]

pytestmark = pytest.mark.virtual_time


@pytest.fixture
def front() -> Front:
    return Front()


def assert_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:quorum:problem:{slug}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return document


async def test_a_payment_gets_a_decision(front: Front) -> None:
    async with front.client() as client:
        response = await client.post("/v1/decisions", json=payment())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer["transaction_id"] == "t-1"
    assert answer["probability"] == probability_of("t-1")
    band = ("approve", "challenge", "review", "block").index(answer["decision"])
    assert 25 * band <= answer["risk_score"] <= 25 * band + 24
    assert answer["plan"] == {"name": "default", "version": 3, "arm": ""}
    assert answer["variants"][0]["score"] == probability_of("t-1")
    assert answer["variants"][1] == {
        "name": "logistic",
        "version": "",
        "status": "late",
        "score": None,
    }
    assert answer["anomaly_score"] is None
    assert answer["feature_age_ms"] == 42
    assert answer["degraded"] is True
    assert answer["degraded_reasons"] == ["variant_late:logistic"]
    assert answer["stage_ms"].keys() == {"auth", "parse", "wait", "limit", "features", "vote"}
    assert answer["decided_at"] == "2026-03-01T12:00:00.250Z"


async def test_a_bearer_key_is_as_good(front: Front) -> None:
    async with front.client({"authorization": f"Bearer {KEY}"}) as client:
        assert (await client.post("/v1/decisions", json=payment())).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "qk_abcdefghijkm_" + "x" * 43},
        {"x-api-key": "nonsense"},
        {"authorization": "Basic dTpw"},
        {"authorization": "Bearer"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/batch", "/v1/variants"])
async def test_without_a_good_key_there_is_nothing(
    front: Front, headers: dict[str, str], path: str
) -> None:
    async with front.client(headers) as client:
        method = "GET" if path == "/v1/variants" else "POST"
        response = await client.request(method, path, json=payment())
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="quorum"'
    assert not front.combiner.calls


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/batch"])
async def test_a_key_that_may_not_decide_is_told_so_and_nothing_is_decided(
    front: Front, path: str
) -> None:
    front.grant("read", "label", "plans")
    row = payment()
    async with front.client() as client:
        response = await client.post(path, json=row if path == DECIDE else {"transactions": [row]})
        broken = await client.post(path, content=b"{")
    document = assert_problem(response, 403, "insufficient-scope")
    assert "`decide`" in document["detail"]
    assert 'scope="decide"' in response.headers["www-authenticate"]
    # The sender is known, and so are its limits, of which this takes nothing.
    assert response.headers["ratelimit"].startswith('"key";r=5000;')
    assert_problem(broken, 403, "insufficient-scope")
    assert not front.combiner.calls
    assert not front.limiter.asked


async def test_a_key_that_may_only_decide_does(front: Front) -> None:
    front.grant("decide")
    async with front.client() as client:
        assert (await client.post(DECIDE, json=payment())).status_code == 200
        batch = await client.post(f"{DECIDE}/batch", json={"transactions": [payment()]})
        assert batch.status_code == 200
        assert_problem(await client.get(DECIDE), 403, "insufficient-scope")


async def test_an_unknown_key_while_the_store_is_down_is_503(front: Front) -> None:
    front.store_error = OSError("down")
    async with front.client() as client:
        response = await client.post("/v1/decisions", json=payment())
    assert_problem(response, 503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("content", "content_type", "status", "slug"),
    [
        (b"{", "application/json", 400, "malformed-body"),
        (b"", "application/json", 400, "malformed-body"),
        (b"\xff\xfe{}", "application/json", 400, "malformed-body"),
        (b"\xef\xbb\xbf{}", "application/json", 400, "malformed-body"),
        (b"[" * 100_000, "application/json", 400, "malformed-body"),
        (b"{}", "application/json", 422, "invalid-input"),
        (b"[]", "application/json", 422, "invalid-input"),
        (b"{}", "text/plain", 415, "unsupported-media-type"),
        (b"{}", "application/jsonp", 415, "unsupported-media-type"),
        (b" " * (256 * 1024 + 1), "application/json", 413, "body-too-large"),
    ],
)
async def test_what_is_no_payment_is_refused(
    front: Front, content: bytes, content_type: str, status: int, slug: str
) -> None:
    async with front.client() as client:
        response = await client.post(
            "/v1/decisions", content=content, headers={"content-type": content_type}
        )
    assert_problem(response, status, slug)


async def test_charset_is_no_reason_to_refuse(front: Front) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    async with front.client() as client:
        content = json.dumps(payment())
        response = await client.post("/v1/decisions", content=content, headers=headers)
    assert response.status_code == 200


async def test_a_compressed_body_is_refused(front: Front) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    async with front.client() as client:
        response = await client.post("/v1/decisions", content=b"x", headers=headers)
    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "allow"), [("/v1/decisions", "GET, POST"), ("/v1/decisions/batch", "POST")]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_told_which_one(
    front: Front, path: str, allow: str, method: str
) -> None:
    async with front.client() as client:
        response = await client.request(method, path)
        batch = await client.get("/v1/decisions/batch")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow
    assert_problem(batch, 405, "method-not-allowed")


async def test_metadata_come_back_and_reach_the_combiner(front: Front) -> None:
    notes = {"order": "17", "note": "zwei\nZeilen"}
    rows = [payment(transaction_id="a"), payment(transaction_id="b", metadata=notes)]
    async with front.client() as client:
        answer = (await client.post("/v1/decisions", json=rows[1])).json()
        plain = (await client.post("/v1/decisions", json=rows[0])).json()
        batch = await client.post("/v1/decisions/batch", json={"transactions": rows})
    assert answer["metadata"] == notes
    assert "metadata" not in plain
    assert [row.get("metadata") for row in batch.json()["results"]] == [None, notes]


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ([], ("/metadata", "type")),
        ("x", ("/metadata", "type")),
        ({"a": 1}, ("/metadata/a", "type")),
        ({"a": None}, ("/metadata/a", "type")),
        ({"a": {"b": "c"}}, ("/metadata/a", "type")),
        ({"4111 1111": 1}, ("/metadata", "type")),
        ({"a": "v" * 501}, ("/metadata/a", "too_long")),
        ({"k" * 41: "v"}, ("/metadata", "too_long")),
        ({str(i): "" for i in range(51)}, ("/metadata", "too_many")),
        ({f"k{i}": "v" * 500 for i in range(9)}, ("/metadata", "too_large")),
        ({"a": "\0"}, ("/metadata/a", "unprintable")),
    ],
)
async def test_metadata_have_bounds(front: Front, metadata: Any, fault: tuple[str, str]) -> None:
    row = payment(metadata=metadata)
    async with front.client() as client:
        alone = assert_problem(await client.post("/v1/decisions", json=row), 422, "invalid-input")
        batch = await client.post("/v1/decisions/batch", json={"transactions": [row, payment()]})
    assert [(e["pointer"], e["code"]) for e in alone["errors"]] == [fault]
    wrong, right = batch.json()["results"]
    pointers = [(e["pointer"], e["code"]) for e in wrong["errors"]]
    assert pointers == [(f"/transactions/0{fault[0]}", fault[1])]
    assert right["transaction_id"] == "t-1"


async def test_a_body_without_announced_length_is_capped_too() -> None:
    front = Front(max_body_bytes=1000)

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 100

    async with front.client() as client:
        response = await client.post(
            "/v1/decisions", content=chunks(), headers={"content-type": "application/json"}
        )
    assert_problem(response, 413, "body-too-large")


async def test_the_request_id_comes_back(front: Front) -> None:
    async with front.client() as client:
        for path in ("/v1/decisions", "/nowhere", "/v2/health/live"):
            response = await client.get(path, headers={"x-request-id": "abc-1"})
            assert response.headers.get_list("x-request-id") == ["abc-1"]
            bad = await client.get(path, headers={"x-request-id": "a b\tc" * 100})
            assert len(bad.headers["x-request-id"]) == 32


async def test_two_ids_for_one_front_are_not_sent_where_serve_adds_its_own() -> None:
    front = Front()
    front.app._adds_request_id = False
    async with front.client() as client:
        for path in ("/v1/decisions", "/nowhere"):
            assert "x-request-id" not in (await client.get(path)).headers


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (Overloaded("full", 3.0), "overloaded"),
        (LogUnavailable("disk full"), "unavailable"),
        (StoreUnavailable("gone"), "unavailable"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_what_cannot_be_decided_now_says_when(
    front: Front, error: Exception, slug: str
) -> None:
    front.combiner.errors = [error]
    async with front.client() as client:
        response = await client.post("/v1/decisions", json=payment())
    assert_problem(response, 503, slug)
    assert int(response.headers["retry-after"]) >= 1


async def test_a_hung_combiner_is_a_503_in_time() -> None:
    front = Front(request_timeout_ms=50)
    front.combiner.gate = lambda: asyncio.sleep(10)
    async with front.client() as client:
        async with asyncio.timeout(2):
            response = await client.post("/v1/decisions", json=payment())
        assert_problem(response, 503, "timeout")
        # The lane is given back: the next payment is decided.
        await asyncio.sleep(0.06)
        front.combiner.gate = None
        assert (await client.post("/v1/decisions", json=payment())).status_code == 200


async def test_a_mistake_of_ours_is_a_500_that_tells_nothing(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    async with front.client() as client:
        response = await client.post("/v1/decisions", json=payment(transaction_id="poison"))
    assert_problem(response, 500, "internal")
    assert "must not be told" not in response.text
    assert "ZeroDivisionError" in caplog.text
    assert "must not be told" not in caplog.text


async def test_a_batch_is_answered_in_order_with_the_wrong_rows_in_place(front: Front) -> None:
    rows: list[Any] = [payment(transaction_id=f"t-{i}") for i in range(7)]
    rows[2] = payment(currency="XXQ", amount=-1)
    rows[4] = "no object"
    async with front.client() as client:
        response = await client.post("/v1/decisions/batch", json={"transactions": rows})
    assert response.status_code == 200
    results = response.json()["results"]
    assert len(results) == 7
    for i in (0, 1, 3, 5, 6):
        assert results[i]["transaction_id"] == f"t-{i}"
        assert results[i]["probability"] == probability_of(f"t-{i}")
    assert results[2]["status"] == 422
    assert {(e["pointer"], e["code"]) for e in results[2]["errors"]} == {
        ("/transactions/2/currency", "unknown_currency"),
        ("/transactions/2/amount", "not_positive"),
    }
    assert results[4]["errors"][0]["pointer"] == "/transactions/4"


async def test_a_batch_larger_than_a_call_travels_in_parts(front: Front) -> None:
    rows = [payment(transaction_id=f"t-{i}") for i in range(1000)]
    async with front.client() as client:
        response = await client.post("/v1/decisions/batch", json={"transactions": rows})
    results = response.json()["results"]
    assert [r["transaction_id"] for r in results] == [f"t-{i}" for i in range(1000)]
    assert max(map(len, front.combiner.calls)) <= 256


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"transactions": []}, "/transactions", "empty"),
        ({"transactions": [{}] * 1001}, "/transactions", "too_many"),
        ({"transactions": {}}, "/transactions", "type"),
        ({}, "/transactions", "missing"),
        ({"transactions": [], "more": 1}, "/more", "unknown_field"),
        ([], "", "type"),
    ],
)
async def test_a_wrong_batch_is_refused_as_a_whole(
    front: Front, body: Any, pointer: str, code: str
) -> None:
    async with front.client() as client:
        response = await client.post("/v1/decisions/batch", json=body)
    document = assert_problem(response, 422, "invalid-input")
    assert (pointer, code) in {(e["pointer"], e["code"]) for e in document["errors"]}


async def test_one_poisoned_row_fails_alone(front: Front) -> None:
    rows = [payment(transaction_id=f"t-{i}") for i in range(100)]
    rows[41] = payment(transaction_id="poison")
    async with front.client() as client:
        response = await client.post("/v1/decisions/batch", json={"transactions": rows})
    results = response.json()["results"]
    assert results[41]["status"] == 500
    assert [r["transaction_id"] for i, r in enumerate(results) if i != 41] == [
        f"t-{i}" for i in range(100) if i != 41
    ]


async def test_a_batch_that_nobody_decides_is_one_503(front: Front) -> None:
    front.combiner.errors = [Overloaded("full") for _ in range(10)]
    rows = [payment(transaction_id=f"t-{i}") for i in range(600)]
    async with front.client() as client:
        response = await client.post("/v1/decisions/batch", json={"transactions": rows})
    assert_problem(response, 503, "overloaded")


async def test_a_client_that_leaves_gets_no_answer_and_harms_nobody(front: Front) -> None:
    sent: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": "/v1/decisions", "headers": []}
    scope["headers"] = [(b"x-api-key", str(KEY).encode()), (b"content-type", b"application/json")]
    messages = iter(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await front.app(scope, receive, send)
    assert not sent
    async with front.client() as client:
        assert (await client.post("/v1/decisions", json=payment())).status_code == 200


class Client:
    """One request straight into the app, as an HTTP server delivers it."""

    def __init__(self, front: Front, path: str, document: Any) -> None:
        self.status = 0
        self.body = b""
        self._body = json.dumps(document).encode()
        scope = {"type": "http", "method": "POST", "path": path, "headers": HEADERS}
        self.task = asyncio.ensure_future(front.app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    @property
    def answer(self) -> Any:
        return json.loads(self.body)


def single(front: Front, name: str) -> Client:
    return Client(front, "/v1/decisions", payment(transaction_id=name))


def many(front: Front, names: list[str]) -> Client:
    rows = [payment(transaction_id=name) for name in names]
    return Client(front, "/v1/decisions/batch", {"transactions": rows})


def assert_is_about(answer: dict[str, Any], name: str) -> None:
    if "poison" in name:
        assert answer["status"] == 500
    else:
        assert answer["transaction_id"] == name
        assert answer["probability"] == probability_of(name)
        assert answer["variants"][0]["score"] == probability_of(name)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 40), st.floats(0, 0.1))
def test_everybody_gets_their_own_answers(
    seed: int, lanes: int, rows_a_call: int, poisoned: float
) -> None:
    rng = random.Random(seed)

    async def crowd() -> None:
        # No row is refused for lack of time, even on a busy machine.
        front = Front(lanes=lanes, max_rows_per_call=rows_a_call, request_timeout_ms=120_000)
        front.combiner.gate = lambda: turns(rng.randrange(6))
        names = (f"{'poison' if rng.random() < poisoned else 't'}-{n}" for n in range(10**9))
        asked: list[tuple[Client, list[str]]] = []
        for _ in range(rng.randrange(1, 40)):
            if rng.random() < 0.7:
                name = next(names)
                asked.append((single(front, name), [name]))
            else:
                batch = [next(names) for _ in range(rng.randrange(1, 30))]
                asked.append((many(front, batch), batch))
            await turns(rng.randrange(4))
        left = {client for client, _ in asked if rng.random() < 0.1 and client.task.cancel()}
        await asyncio.gather(*(client.task for client, _ in asked), return_exceptions=True)
        for client, its in asked:
            if client in left:
                assert not client.body
            elif len(its) == 1 and "results" not in client.answer:
                assert_is_about(client.answer, its[0])
            else:
                results = client.answer["results"]
                for answer, name in zip(results, its, strict=True):
                    assert_is_about(answer, name)

    asyncio.run(crowd())


async def turns(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_a_client_that_leaves_does_not_stop_the_batch_it_travels_in(leaver: int) -> None:
    front = Front()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def gate() -> None:
        arrived.set()
        await go_on.wait()

    front.combiner.gate = gate
    clients = [single(front, f"t-{i}") for i in range(3)]
    await until(arrived.is_set)
    assert front.combiner.calls == [["t-0", "t-1", "t-2"]]
    clients[leaver].task.cancel()
    await turns(3)
    go_on.set()
    await asyncio.gather(*(c.task for c in clients), return_exceptions=True)
    for i, client in enumerate(clients):
        if i != leaver:
            assert_is_about(client.answer, f"t-{i}")
    assert len(front.combiner.calls) == 1


async def test_nothing_waits_for_company() -> None:
    front = Front()
    await single(front, "to-know-the-key").task
    lonely = single(front, "t-1")
    # Turns of the loop pass, no time: a timer would not have fired.
    await turns(10)
    assert front.combiner.calls[-1] == ["t-1"]
    await lonely.task
