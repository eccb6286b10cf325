"""Labels on a real PostgreSQL: of decisions, of payments, of many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from decision_log.shipping.postgres_sink import PostgresSink
from tests.contracts.decisions import gathered, reused_pair
from tests.contracts.front import payment
from tests.contracts.recording import RecordingFront, now_ms, recording_front

DAY = timedelta(days=1)


@pytest.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[RecordingFront]:
    async with recording_front(tmp_path / "wal", database_url) as made:
        yield made


@pytest.fixture
async def client(front: RecordingFront) -> AsyncIterator[httpx.AsyncClient]:
    async with front.client() as made:
        yield made


class Paid:
    """A payment of five days ago, decided just now."""

    def __init__(self, transaction_id: str, at: datetime, decision_id: str) -> None:
        self.transaction_id = transaction_id
        self.at = at
        self.decision_id = decision_id


async def paid(client: httpx.AsyncClient, ago: timedelta = 5 * DAY) -> Paid:
    at = datetime.now(UTC).replace(microsecond=0) - ago
    name = f"t-{time.monotonic_ns()}"
    body = payment(transaction_id=name, timestamp=at.isoformat())
    answer = await client.post("/v1/decisions", json=body)
    assert answer.status_code == 200, answer.text
    return Paid(name, at, answer.json()["decision_id"])


def said(is_fraud: bool, known_at: datetime | None = None, source: str = "chargeback") -> Any:
    label = {"is_fraud": is_fraud, "source": source}
    return label if known_at is None else label | {"known_at": known_at.isoformat()}


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(e["pointer"], e["code"]) for e in answer.json()["errors"]}


async def kept(client: httpx.AsyncClient, one: Paid) -> list[tuple[bool, str, bool]]:
    """Return the labels of a payment: the verdict, its source, whether it holds."""
    read = (await client.get(f"/v1/decisions/{one.decision_id}")).json()
    return [(label["is_fraud"], label["source"], label["holds"]) for label in read["labels"]]


@pytest.mark.parametrize("by", ["decision", "transaction_id", "decision_id"])
async def test_a_payment_is_labelled_by_any_of_its_names(
    client: httpx.AsyncClient, by: str
) -> None:
    one = await paid(client)
    label = said(True, one.at + DAY)
    path = "/v1/labels"
    if by == "decision":
        path = f"/v1/decisions/{one.decision_id}/labels"
    else:
        label[by] = getattr(one, by)
    first, again = await client.post(path, json=label), await client.post(path, json=label)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["transaction_id"] == one.transaction_id
    named = None if by == "transaction_id" else one.decision_id
    assert first.json()["decision_id"] == named
    assert await kept(client, one) == [(True, "chargeback", True)]


@pytest.mark.parametrize("early", [timedelta(milliseconds=1), DAY, 400 * DAY])
async def test_nothing_is_known_before_the_payment(
    client: httpx.AsyncClient, early: timedelta
) -> None:
    one = await paid(client)
    wrong = said(True, one.at - early)
    path = f"/v1/decisions/{one.decision_id}/labels"
    named = {"transaction_id": one.transaction_id}
    fault = {("/known_at", "before_payment")}
    assert faults(await client.post(path, json=wrong)) == fault
    assert faults(await client.post("/v1/labels", json=wrong | named)) == fault
    answer = await client.post("/v1/labels/batch", json={"labels": [wrong | named]})
    (row,) = answer.json()["results"]
    assert [(e["pointer"], e["code"]) for e in row["errors"]] == [
        ("/labels/0/known_at", "before_payment")
    ]
    assert await kept(client, one) == []
    # The time of the payment itself is not before it.
    assert (await client.post(path, json=said(True, one.at))).status_code == 201


async def test_a_payment_that_is_stamped_ahead_is_not_known_before_it(
    client: httpx.AsyncClient,
) -> None:
    one = await paid(client, ago=-timedelta(seconds=120))
    label = said(True, source="analyst") | {"transaction_id": one.transaction_id}
    answer = await client.post("/v1/labels", json=label)
    assert answer.status_code == 201
    assert datetime.fromisoformat(answer.json()["known_at"]) == one.at
    assert await kept(client, one) == [(True, "analyst", False)]


async def test_a_source_corrects_itself_and_nothing_older_overturns_it(
    client: httpx.AsyncClient,
) -> None:
    one = await paid(client)
    path = f"/v1/decisions/{one.decision_id}/labels"
    for is_fraud, days, status in (
        (True, 1, 201),
        (False, 3, 201),  # corrects
        (True, 2, 201),  # arrives late, and is older
        (False, 3, 200),  # repeated
        (True, 3, 409),  # the opposite for the same time
        (False, 1, 409),
    ):
        answer = await client.post(path, json=said(is_fraud, one.at + days * DAY))
        assert answer.status_code == status, (is_fraud, days, answer.text)
    assert await kept(client, one) == [
        (True, "chargeback", False),
        (True, "chargeback", False),
        (False, "chargeback", True),
    ]
    # Without a time it is compared with the newest.
    assert (await client.post(path, json=said(False))).status_code == 200
    assert (await client.post(path, json=said(True))).status_code == 201
    assert (await kept(client, one))[-1] == (True, "chargeback", True)


async def test_of_several_sources_the_newest_known_holds(client: httpx.AsyncClient) -> None:
    one = await paid(client)
    path = f"/v1/decisions/{one.decision_id}/labels"
    at = one.at + DAY
    for label in (
        said(True, at + DAY, "analyst"),
        said(False, at, "customer"),
        said(False, at + DAY, "x-call-center"),
    ):
        assert (await client.post(path, json=label)).status_code == 201
    # Of equal times the one that arrived last holds.
    assert await kept(client, one) == [
        (False, "customer", False),
        (True, "analyst", False),
        (False, "x-call-center", True),
    ]


async def test_labels_of_other_tenants_are_neither_written_nor_read(
    front: RecordingFront, client: httpx.AsyncClient
) -> None:
    mine = await paid(client)
    front.tenant = "other"
    for name in ("transaction_id", "decision_id"):
        label = said(True) | {name: getattr(mine, name)}
        assert (await client.post("/v1/labels", json=label)).status_code == 404
    answer = await client.post(
        "/v1/labels/batch", json={"labels": [said(True) | {"transaction_id": mine.transaction_id}]}
    )
    assert [row["status"] for row in answer.json()["results"]] == [404]
    front.tenant = "acme"
    assert await kept(client, mine) == []


async def test_a_batch_answers_each_label_in_its_place_and_can_be_sent_again(
    client: httpx.AsyncClient,
) -> None:
    some = [await paid(client) for _ in range(4)]
    at = some[0].at + DAY
    labels = [
        said(True, at) | {"transaction_id": some[0].transaction_id},
        said(True, at) | {"decision_id": some[1].decision_id},
        said(True, at) | {"transaction_id": "nobody-knows-it"},
        said(True, at, "chargback") | {"transaction_id": some[2].transaction_id},
        said(True, at - 9 * DAY) | {"transaction_id": some[2].transaction_id},
        said(True, at) | {"transaction_id": some[3].transaction_id},
        said(True, at) | {"transaction_id": some[3].transaction_id},  # twice in one request
        said(False, at) | {"transaction_id": some[3].transaction_id},  # and once the opposite
        said(False, at + DAY) | {"decision_id": some[3].decision_id},  # a correction
        said(True),
        7,
    ]
    first = await client.post("/v1/labels/batch", json={"labels": labels})
    assert first.status_code == 200
    results = first.json()["results"]
    assert [row.get("status", "kept") for row in results] == [
        *("kept", "kept", 404, 422, 422, "kept", "kept", 409, "kept", 422, 422),
    ]
    pointers = [[e["pointer"] for e in row.get("errors", ())] for row in results]
    assert pointers[3:5] == [["/labels/3/source"], ["/labels/4/known_at"]]
    assert pointers[9:] == [["/labels/9/decision_id"], ["/labels/10"]]
    assert await kept(client, some[3]) == [
        (True, "chargeback", False),
        (False, "chargeback", True),
    ]
    again = await client.post("/v1/labels/batch", json={"labels": labels})
    for before, after in zip(results, again.json()["results"], strict=True):
        before.pop("request_id", None), after.pop("request_id", None)
        assert after == before


async def test_many_labels_at_once(client: httpx.AsyncClient, database_url: str) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - DAY
    rows = [payment(transaction_id=f"many-{i}", timestamp=at.isoformat()) for i in range(1000)]
    answer = await client.post("/v1/decisions/batch", json={"transactions": rows})
    assert answer.status_code == 200, answer.text
    labels = [
        said(i % 3 == 0, at + timedelta(hours=1)) | {"transaction_id": f"many-{i}"}
        for i in range(1000)
    ]
    # The same from several at once, in different orders: each is kept once, without a deadlock.
    answers = await asyncio.gather(
        *(
            client.post("/v1/labels/batch", json={"labels": some})
            for some in (labels, labels[::-1], labels[500:] + labels[:500])
        )
    )
    for one in answers:
        assert one.status_code == 200, one.text
        assert all("known_at" in row for row in one.json()["results"])
    connection = await asyncpg.connect(database_url)
    try:
        count = "SELECT count(*) FROM labels WHERE transaction_id LIKE 'many-%'"
        assert await connection.fetchval(count) == 1000
    finally:
        await connection.close()


async def test_another_payment_under_a_known_id_is_not_labelled_as_the_first(
    front: RecordingFront, client: httpx.AsyncClient, database_url: str
) -> None:
    # Labels are kept by transaction id: one of the second would count for the first.
    front.tenant = "default"
    first, other = reused_pair("twice-", now_ms() - 3_000, now_ms() - 2_000)
    sink = PostgresSink(database_url)
    await sink.insert(gathered([first]))
    await sink.insert(gathered([other]))
    await sink.close()
    by_path = await client.post(f"/v1/decisions/{other.decision_id}/labels", json=said(True))
    assert by_path.status_code == 409
    assert "another payment" in by_path.json()["detail"]
    rows = [
        said(True) | {"decision_id": other.decision_id},
        said(False) | {"decision_id": first.decision_id},
        said(False, source="analyst") | {"transaction_id": "twice-0"},
    ]
    answer = await client.post("/v1/labels/batch", json={"labels": rows})
    assert [row.get("status") for row in answer.json()["results"]] == [409, None, None]
    for decision_id, labels in ((first.decision_id, 2), (other.decision_id, 0)):
        read = (await client.get(f"/v1/decisions/{decision_id}")).json()
        assert [label["is_fraud"] for label in read["labels"]] == [False] * labels


async def test_a_batch_has_bounds(client: httpx.AsyncClient) -> None:
    one = said(True) | {"transaction_id": "t"}
    for body, fault in (
        ({"labels": [one] * 1001}, ("/labels", "too_many")),
        ({"labels": []}, ("/labels", "empty")),
        ({"labels": one}, ("/labels", "type")),
        ({}, ("/labels", "missing")),
        ([one], ("", "type")),
        ({"labels": [one], "labls": []}, ("/labls", "unknown_field")),
    ):
        assert faults(await client.post("/v1/labels/batch", json=body)) == {fault}


async def test_a_label_of_history_that_was_loaded(
    client: httpx.AsyncClient, database_url: str
) -> None:
    at = datetime(2019, 5, 1, tzinfo=UTC)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO transactions (tenant, transaction_id, occurred_at, customer_id,"
            " amount_minor, currency, type, amount_hundredths)"
            " VALUES ('acme', 'old-1', $1, 'c', 1, 'EUR', 'purchase', 1)",
            at,
        )
    finally:
        await connection.close()
    label = said(True, at + 90 * DAY) | {"transaction_id": "old-1"}
    answer = await client.post("/v1/labels", json=label)
    assert answer.status_code == 201
    assert answer.json()["decision_id"] is None


async def test_a_payment_that_is_still_on_its_way_is_waited_for(client: httpx.AsyncClient) -> None:
    one = await paid(client, ago=timedelta(0))
    label = said(True) | {"transaction_id": one.transaction_id}
    assert (await client.post("/v1/labels", json=label)).status_code == 201
