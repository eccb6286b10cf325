"""Behind one address PostgreSQL accepts no writes any more, and another one does: writers, and
readers that need current data, follow without a restart."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cluster import api_keys
from cluster.embedded import EmbeddedPostgres
from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan
from decision_log.shipping.postgres_sink import PostgresSink
from features.label_feed import LabelFeed
from features.state.entities import KEPT
from features.store.keys import CURSOR
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.errors import StoreUnavailable, StoreUnreachable
from fraud.plan import Plan
from serve_app.gateway.labels import NewLabel
from serve_app.gateway.records import Records
from stores.postgres import session as session_module
from stores.postgres.connect import connect, open_pool
from stores.redis.connection import RedisConnection
from tests.contracts.decisions import PLAN, decision_records, gathered
from tests.contracts.payments import payments
from tests.contracts.proxy import Proxy, proxy_to
from tests.integration.features.store.test_redis import insert

SOON_S = 60.0
"""Only a real failure takes so long."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def other(stores_folder: Path, postgres: EmbeddedPostgres):
    """A second server with the password of the first, and its databases' schema."""
    from cluster.schema.migrate import migrate

    folder = stores_folder / "pg-other"
    folder.mkdir()
    (folder / "endpoint.json").write_text((postgres.folder / "endpoint.json").read_text())
    server = EmbeddedPostgres(folder, throwaway=True)
    server.start()
    asyncio.run(migrate(server.url))
    yield server
    server.stop()


class Pair:
    """One database of one name on two servers; the first is reached."""

    def __init__(self, a: str, b: str, proxy: Proxy) -> None:
        self.a, self.b, self.proxy = a, b, proxy
        self.url = proxy.url(a)

    async def ask(self, url: str, query: str, *arguments: object) -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def pair(postgres: EmbeddedPostgres, other: EmbeddedPostgres) -> AsyncIterator[Pair]:
    name = f"f_{uuid4().hex[:12]}"
    urls = []
    for server in (postgres, other):
        base = server.url.rpartition("/")[0]
        await _execute(f"{base}/postgres", f"CREATE DATABASE {name} TEMPLATE quorum")
        urls.append(f"{base}/{name}")
    async with proxy_to(urls[0]) as proxy:
        yield Pair(urls[0], urls[1], proxy)
    for url in urls:
        base = url.rpartition("/")[0]
        await _execute(f"{base}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


async def _soon(ask: Callable[[], Awaitable[object]]) -> object:
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def _plan_of(reader: PlanReader) -> Plan:
    (row,) = await reader.changes({})
    assert row.document is not None
    return Plan.from_document(json.loads(row.document))


async def _demote_sessions(pair: Pair) -> None:
    """Change a setting of the server. A reload applies it to open sessions, too."""
    base = pair.a.rpartition("/")[0]
    await _execute(
        f"{base}/postgres",
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    )


@pytest.fixture
async def demoted(pair: Pair) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Demotes the first server for the duration of the test."""

    async def demote() -> None:
        pair.proxy.target = int(pair.b.rpartition(":")[2].partition("/")[0])
        await _demote_sessions(pair)

    yield demote
    base = pair.a.rpartition("/")[0]
    await _execute(
        f"{base}/postgres",
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )
    state = "on"
    while state == "on":
        state = str(await pair.ask(pair.a, "SHOW default_transaction_read_only"))
        await asyncio.sleep(0.02)


Demote = Callable[[], Awaitable[None]]


async def test_decisions_are_shipped_to_the_new_primary_once_each(
    pair: Pair, demoted: Demote
) -> None:
    sink = PostgresSink(pair.url)
    await sink.insert(gathered(decision_records(3, "before")))
    await demoted()
    written = decision_records(5, "after")
    await _soon(lambda: sink.insert(gathered(written)))
    await sink.insert(gathered(written))
    await sink.close()
    count = "SELECT count(*) FROM decisions WHERE transaction_id LIKE 'after%'"
    assert await pair.ask(pair.b, count) == 5
    assert await pair.ask(pair.a, count) == 0


async def test_labels_are_kept_on_the_new_primary_and_keys_are_looked_up_there(
    pair: Pair, demoted: Demote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_READ_ONLY_S", 0.0)
    (record,) = decision_records(1, "label", at_ms=now_ms())
    for url in (pair.a, pair.b):
        sink = PostgresSink(url)
        await sink.insert(gathered([record]))
        await sink.close()
    pool = await open_pool(pair.url, size=4, timeout_s=30)
    records = Records(pool, None, now_ms)
    await asyncio.gather(*(records.key("nobody") for _ in range(8)))
    await demoted()
    label = NewLabel(True, "bank", None, record.decision_id)
    _, is_new = await _soon(lambda: records.label("default", label))  # type: ignore[misc]
    assert is_new
    assert await pair.ask(pair.b, "SELECT count(*) FROM labels") == 1
    # A key that was made on the new primary is known, though nothing was written by this pool.
    session = await connect(pair.b)
    made = await api_keys.create(
        session, "pepper", tenant="acme", name="n", tier="free", expires_days=None
    )
    await session.close()
    found = [await records.key(made["key_id"]) for _ in range(8)]
    assert all(key is not None for key in found)
    await pool.close()


async def test_readers_leave_a_server_that_reports_itself_read_only(
    pair: Pair, demoted: Demote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads get no error; the server reports its state along with a result."""
    monkeypatch.setattr(session_module, "_READ_ONLY_S", 0.0)
    pool = await open_pool(pair.url, size=4, timeout_s=30)
    await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.05)") for _ in range(4)))
    await demoted()
    async with asyncio.timeout(SOON_S):
        read_only = "on"
        while read_only == "on":
            read_only = await pool.fetchval("SHOW transaction_read_only")
            await asyncio.sleep(0.02)
    settled = [await pool.fetchval("SHOW transaction_read_only") for _ in range(8)]
    assert settled == ["off"] * 8
    await pool.close()


async def test_the_plan_of_the_new_primary_decides(pair: Pair, demoted: Demote) -> None:
    plan = await activate_plan(pair.a, PLAN)
    newer = await activate_plan(
        pair.b, replace(PLAN, policy=replace(PLAN.ensemble, deadline_ms=99))
    )
    reader = PlanReader(pair.url, 30.0)
    assert await _plan_of(reader) == plan
    await demoted()
    async with asyncio.timeout(SOON_S):
        found = plan
        while found != newer:
            found = await _soon(lambda: _plan_of(reader))  # type: ignore[assignment]
            await asyncio.sleep(0.02)
    assert reader.trouble == ""
    await reader.close()


async def test_without_a_primary_the_error_names_the_cause(pair: Pair, demoted: Demote) -> None:
    plan = await activate_plan(pair.a, PLAN)
    reader = PlanReader(pair.url, 30.0)
    assert await _plan_of(reader) == plan
    assert reader.trouble == ""
    port = pair.proxy.target
    await demoted()
    pair.proxy.target = port
    async with asyncio.timeout(SOON_S):
        while not reader.trouble:
            await reader.changes({})
            await asyncio.sleep(0.02)
    assert await _plan_of(reader) == plan  # what is there goes on deciding
    assert "accepts no writes" in reader.trouble
    await reader.close()


async def test_states_are_rebuilt_and_labels_learnt_from_the_new_primary(
    pair: Pair, demoted: Demote, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_READ_ONLY_S", 0.0)
    batch = payments(30, seed=3, late=0.0, duplicate=0.0)
    there = await open_pool(pair.b, size=1, timeout_s=30)
    await insert(there, batch)
    for i in range(5):
        await there.execute(
            "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
            " VALUES ($1, $2, true, now(), 'bank')",
            *(batch.tenant[i], batch.transaction_id[i]),
        )
    await there.close()
    pool = await open_pool(pair.url, size=2, timeout_s=30)
    history = PostgresHistory(pool)
    store = RedisStore(RedisConnection(redis_url, 30_000), history, replay_ttl_s=600)
    feed = LabelFeed(pool, store)
    await store._redis.call("SET", CURSOR, "0:0")
    soon = datetime.now(UTC) + timedelta(days=1)
    assert await feed.step(soon) == 0
    await demoted()
    async with asyncio.timeout(SOON_S):
        learnt = 0
        while learnt < 5:
            learnt += await _soon(lambda: feed.step(soon))  # type: ignore[operator]
            await asyncio.sleep(0.02)
    entity = next(e for e in KEPT if e.name == "customer")
    key = (batch.tenant[0], batch.customer_id[0])
    async with history.rebuild(entity, [key], [], (0, 0)) as past:
        assert any(past.states[0])
    await store.close()
    await pool.close()


async def test_a_connection_that_was_ended_is_made_again(pair: Pair) -> None:
    """57P01: an administrator, or a server that is going down, ended it."""
    pool = await open_pool(pair.url, size=3, timeout_s=30)
    await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.05)") for _ in range(3)))
    end = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await pair.ask(pair.a, end) == 3
    records = Records(pool, None, now_ms)
    await _soon(lambda: records.key("nobody"))
    assert [await records.key("nobody") for _ in range(6)] == [None] * 6
    waiting = asyncio.create_task(pool.fetchval("SELECT pg_sleep(30)"))
    async with asyncio.timeout(SOON_S):
        ended = 0
        while not waiting.done():
            ended += await pair.ask(pair.a, end)  # type: ignore[operator]
            await asyncio.sleep(0.05)
    assert waiting.exception() is not None
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "08006", "25006", "08P01", "26000"])
async def test_an_unfit_connection_is_not_used_again(pair: Pair, state: str) -> None:
    pool = await open_pool(pair.url, size=1, timeout_s=30)
    before = await pool.fetchval("SELECT pg_backend_pid()")
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(asyncpg.PostgresError):
        await pool.execute(raising)
    assert await pool.fetchval("SELECT pg_backend_pid()") != before
    await pool.close()


@pytest.mark.parametrize("state", ["22012", "23505", "40001", "42P01", "57014"])
async def test_other_errors_keep_the_connection(pair: Pair, state: str) -> None:
    pool = await open_pool(pair.url, size=1, timeout_s=30)
    before = await pool.fetchval("SELECT pg_backend_pid()")
    with pytest.raises(asyncpg.PostgresError):
        await pool.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
    assert await pool.fetchval("SELECT pg_backend_pid()") == before
    await pool.close()


async def test_of_several_hosts_the_one_that_takes_writes_is_taken(
    pair: Pair, demoted: Demote
) -> None:
    await demoted()
    head, _, tail = pair.a.rpartition("@")
    hosts = f"{tail.partition('/')[0]},{pair.b.rpartition('@')[2]}"
    for _ in range(3):
        session = await connect(f"{head}@{hosts}")
        assert await session.fetchval("SHOW transaction_read_only") == "off"
        await session.close()
    with pytest.raises(StoreUnreachable, match="no host is read-write"):
        await connect(f"{pair.a}?target_session_attrs=read-write")
