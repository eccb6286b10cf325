"""Searches for decisions on a real PostgreSQL."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from decision_log.shipping.postgres_sink import PostgresSink
from serve_app.gateway.search import Search
from stores.statements import statement
from tests.contracts.decisions import decision_records, gathered, reused_pair
from tests.contracts.recording import RecordingFront, now_ms, recording_front

DAY_MS = 86_400_000
PATH = "/v1/decisions"


@pytest.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[RecordingFront]:
    async with recording_front(tmp_path / "wal", database_url) as made:
        made.tenant = "default"
        yield made


@pytest.fixture
async def client(front: RecordingFront) -> AsyncIterator[httpx.AsyncClient]:
    async with front.client() as made:
        yield made


async def ship(url: str, n: int, prefix: str, at_ms: int, seed: int = 0) -> list[Any]:
    """n decisions of tenant `default` on payments `<prefix>0` .. by customers `c0` .."""
    made = decision_records(n, prefix=prefix, seed=seed, at_ms=at_ms)
    sink = PostgresSink(url)
    await sink.insert(gathered(made))
    await sink.close()
    return made


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [decision["decision_id"] for decision in answer.json()["decisions"]]


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


async def test_each_parameter_narrows_the_search(
    client: httpx.AsyncClient, database_url: str
) -> None:
    now = now_ms() - 10_000
    made = [r for i in range(20) for r in await ship(database_url, 4, f"n{i}-", now + i, seed=i)]
    newest = sorted((r.decision_id for r in made), reverse=True)
    by_id = {r.decision_id: r for r in made}
    span = {"from": iso(now), "to": iso(now + 20), "limit": 200}
    assert ids(await client.get(PATH, params=span)) == newest
    for outcome in ("approve", "challenge", "review", "block"):
        wanted = [i for i in newest if by_id[i].outcome == outcome]
        assert ids(await client.get(PATH, params=span | {"outcome": outcome})) == wanted
    wanted = [i for i in newest if by_id[i].transaction.customer_id == "c2"]
    assert len(wanted) == 20
    assert ids(await client.get(PATH, params=span | {"customer_id": "c2"})) == wanted
    both = span | {"customer_id": "c2", "outcome": by_id[wanted[0]].outcome}
    assert wanted[0] in ids(await client.get(PATH, params=both))
    assert {by_id[i].outcome for i in ids(await client.get(PATH, params=both))} == {
        by_id[wanted[0]].outcome
    }
    one = {"transaction_id": "n7-2"}
    wanted = [r.decision_id for r in made if r.transaction.transaction_id == "n7-2"]
    assert ids(await client.get(PATH, params=span | one)) == wanted
    assert ids(await client.get(PATH, params=span | one | {"customer_id": "c2"})) == wanted
    assert ids(await client.get(PATH, params=span | one | {"customer_id": "c3"})) == []
    half = {"from": iso(now + 5), "to": iso(now + 10), "limit": 200}
    wanted = [i for i in newest if now + 5 <= by_id[i].decided_at_ms < now + 10]
    assert len(wanted) == 20
    assert ids(await client.get(PATH, params=half)) == wanted


@pytest.mark.parametrize(
    "narrowed", [{}, {"customer_id": "c1"}, {"outcome": "approve"}, {"outcome": "review"}]
)
async def test_pages_hold_everything_once_whatever_is_decided_meanwhile(
    client: httpx.AsyncClient, database_url: str, narrowed: dict[str, str]
) -> None:
    at = now_ms() - 5_000
    prefix = f"p{time.monotonic_ns()}-"
    for i in range(9):
        await ship(database_url, 5, f"{prefix}{i}-", at + i // 3, seed=i)
    span = {"from": iso(at), "to": iso(at + 3)} | narrowed
    whole = ids(await client.get(PATH, params=span | {"limit": 200}))
    assert whole
    found: list[str] = []
    cursor: dict[str, str] = {}
    for page in range(100):
        # From the second page on the cursor holds the period.
        asked = (span if page % 2 == 0 else narrowed) | cursor | {"limit": 4}
        answer = await client.get(PATH, params=asked)
        assert len(ids(answer)) <= 4
        found += ids(answer)
        assert datetime.fromisoformat(answer.json()["from"]) == datetime.fromisoformat(iso(at))
        if answer.json()["next_cursor"] is None:
            break
        cursor = {"cursor": answer.json()["next_cursor"]}
        await ship(database_url, 1, f"{prefix}later-{page}-", now_ms())
    assert found == whole
    assert not any(text in cursor["cursor"] for text in ("c1", "review", "approve"))


async def test_without_a_span_it_is_the_last_thirty_days(
    client: httpx.AsyncClient, database_url: str
) -> None:
    now = now_ms()
    prefix = f"s{now}-"
    (old,) = await ship(database_url, 1, f"{prefix}old-", now - 31 * DAY_MS)
    (recent,) = await ship(database_url, 1, f"{prefix}recent-", now - 29 * DAY_MS)
    both = []
    for record in (recent, old):
        named = {"transaction_id": record.transaction.transaction_id}
        both.append(ids(await client.get(PATH, params=named)))
        earlier = named | {"from": iso(now - 40 * DAY_MS)}
        assert ids(await client.get(PATH, params=earlier)) == [record.decision_id]
    assert both == [[recent.decision_id], []]
    answer = (await client.get(PATH)).json()
    span = datetime.fromisoformat(answer["to"]) - datetime.fromisoformat(answer["from"])
    assert span == timedelta(days=30)


async def test_another_tenant_finds_nothing(
    front: RecordingFront, client: httpx.AsyncClient, database_url: str
) -> None:
    (mine,) = await ship(database_url, 1, "mine-", now_ms() - 1000)
    front.tenant = "other"
    for narrowed in (
        {},
        {"transaction_id": mine.transaction.transaction_id},
        {"customer_id": mine.transaction.customer_id},
        {"outcome": mine.outcome},
    ):
        assert ids(await client.get(PATH, params=narrowed)) == []


async def test_an_item_is_what_reading_it_gives(
    client: httpx.AsyncClient, database_url: str
) -> None:
    (record,) = await ship(database_url, 1, "item-", now_ms() - 1000)
    label = {"is_fraud": True, "source": "issuer", "transaction_id": "item-0"}
    assert (await client.post("/v1/labels", json=label)).status_code == 201
    (item,) = (await client.get(PATH, params={"transaction_id": "item-0"})).json()["decisions"]
    assert item == (await client.get(f"{PATH}/{record.decision_id}")).json()
    assert [(said["source"], said["holds"]) for said in item["labels"]] == [("issuer", True)]


async def test_a_decision_that_reused_another_customer_s_id_is_found(
    client: httpx.AsyncClient, database_url: str
) -> None:
    at = now_ms() - 3_000
    first, other = reused_pair("reused-", at, at + 5)
    sink = PostgresSink(database_url)
    await sink.insert(gathered([first]))
    await sink.insert(gathered([other]))
    await sink.close()
    asked = {"customer_id": "somebody-else"}
    assert ids(await client.get(PATH, params=asked)) == [other.decision_id]


async def test_head_answers_like_get(client: httpx.AsyncClient, database_url: str) -> None:
    (record,) = await ship(database_url, 1, "head-", now_ms() - 1000)
    for path in (PATH, f"{PATH}/{record.decision_id}"):
        whole, head = await client.get(path), await client.head(path)
        assert (head.status_code, whole.status_code) == (200, 200)
        assert head.headers["content-type"] == whole.headers["content-type"]


def by(what: str) -> str:
    return statement(f"serve_app/gateway/sql/search_by_{what}.sql")


@pytest.fixture
def searches() -> list[tuple[str, Search, tuple[Any, ...]]]:
    now = now_ms()
    span = (now - 30 * DAY_MS, now)
    happened = tuple(
        datetime.fromtimestamp(ms / 1000, UTC) for ms in (now - 60 * DAY_MS, now + DAY_MS)
    )
    return [
        (by("time"), Search(*span), ()),
        (
            by("outcome"),
            Search(*span, outcome="review"),
            (),
        ),
        (by("transaction"), Search(*span), ("t", None)),
        (
            by("customer"),
            Search(*span),
            ("c1", *happened),
        ),
    ]


async def test_every_search_reads_an_index_of_the_months_in_question(
    database_url: str, searches: list[tuple[str, Search, tuple[Any, ...]]]
) -> None:
    """With years of partitions and a table large enough for an index."""
    connection = await asyncpg.connect(database_url)
    try:
        for back in range(36):
            at = now_ms() - back * 30 * DAY_MS
            for table in ("decisions", "transactions"):
                await connection.execute(
                    "SELECT ensure_month($1::text, to_timestamp($2))", table, at / 1000
                )
        await ship(database_url, 2000, "many-", now_ms() - DAY_MS)
        await connection.execute("ANALYZE")
        await connection.execute("SET enable_seqscan = off")
        for statement, search, more in searches:
            moments = [
                datetime.fromtimestamp(ms / 1000, UTC) for ms in (search.from_ms, search.to_ms)
            ]
            arguments = ("default", search.first_id, search.end_id, *moments, search.outcome, 51)
            text = await connection.fetchval(
                f"EXPLAIN (FORMAT json) {statement}", *arguments, *more
            )
            scans = list(_scans(json.loads(text)[0]["Plan"]))
            tables = {scan["Relation Name"] for scan in scans}
            assert all("Seq Scan" not in scan["Node Type"] for scan in scans), text
            decided = {name for name in tables if name.startswith("decisions_2")}
            assert 1 <= len(decided) <= 3, tables
    finally:
        await connection.close()


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in node:
        yield node
    for inner in node.get("Plans", ()):
        yield from _scans(inner)
