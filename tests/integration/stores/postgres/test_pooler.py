"""Everything that talks to PostgreSQL does so behind a real PgBouncer in transaction mode."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from cluster import api_keys
from cluster.cli import run
from cluster.schema.migrate import migrate, pending, read_migrations
from data.generator import GeneratorSpec, write
from data.history.history import read_history
from data.load.loader import LoadBusy, load_file
from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan, active_plan, reactivate_plan
from decision_log.readers.decision_history import DecisionHistory
from decision_log.readers.drift_gauges import DriftWatch
from decision_log.shipping.postgres_sink import PostgresSink
from features.label_feed import LabelFeed
from features.service import FeatureService
from features.state.events import Events
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.errors import Busy, StoreUnreachable
from fraud.plan import Plan
from models.store.location import open_store
from models.store.origin import origin_of
from serve_app.database import open_pools
from serve_app.gateway.labels import NewLabel
from serve_app.gateway.records import Records
from settings.settings import Settings
from stores.postgres import connect as module
from stores.postgres.connect import connect, open_pool
from stores.postgres.lock import Lock
from stores.redis.connection import RedisConnection
from tests.contracts.decisions import PLAN, decision_records, gathered
from tests.contracts.drift import serve_moved, train_champion
from tests.contracts.payments import payments
from tests.contracts.pgbouncer import bouncing
from tests.integration.features.store.test_redis import insert
from training.registry.locks import advisory_lock
from training.sets.dataset import newest_payment_ms

DAY_MS = 86_400_000
END_MS = 20_000 * DAY_MS


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
async def url(database_url: str) -> AsyncIterator[str]:
    """The database, by way of the pooler."""
    async with bouncing(database_url) as there:
        yield there


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database without the pooler, emptied."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "TRUNCATE transactions, labels, decisions, load_progress, plans, recorded_plans"
    )
    yield connection
    await connection.close()


async def test_a_pooler_is_found_out_and_statements_are_kept_without_one(
    url: str, database_url: str
) -> None:
    behind, direct = await connect(url), await connect(database_url)
    assert (behind.pooled, direct.pooled) == (True, False)
    for _ in range(2):
        await direct.fetchval("SELECT 1")
        await behind.fetchval("SELECT 1")
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'"
    assert await direct.fetchval(kept) == 1
    await behind.close()
    await direct.close()


async def test_the_address_decides_whether_there_is_a_pooler(url: str, database_url: str) -> None:
    for address, told in ((url, "true"), (database_url, "false"), (database_url, "true")):
        session = await connect(f"{address}?pgbouncer={told}")
        assert session.pooled is (told == "true")
        assert await session.fetchval("SELECT $1::int", 5) == 5
        await session.close()


async def test_a_pooler_that_is_put_in_front_later_is_found_out(url: str) -> None:
    """As if the pooler had not been there when the process started."""
    from stores.postgres.url import address_of

    module._pooled[address_of(url)] = False
    pool = await open_pool(url, size=4, timeout_s=30)

    async def ask() -> bool:
        try:
            async with pool.acquire() as session, session.transaction():
                await session.fetchval("SELECT pg_sleep(0.001)")
            return True
        except asyncpg.PostgresError:
            return False

    for _ in range(20):
        if not all(await asyncio.gather(*(ask() for _ in range(8)))):
            break
    assert module._pooled[address_of(url)] is True
    assert all([all(await asyncio.gather(*(ask() for _ in range(8)))) for _ in range(10)])
    await pool.close()


async def test_the_schema_is_made(empty_database_url: str) -> None:
    async with bouncing(empty_database_url) as url:
        outcomes = await asyncio.gather(migrate(url), migrate(url))
        applied = [file for outcome in outcomes for file, _ in outcome.applied]
        assert sorted(applied) == sorted(m.file for m in read_migrations())
        assert await pending(url) == []


async def test_keys(url: str, empty: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await connect(url)
    made = await api_keys.create(
        session, "pepper", tenant="acme", name="n", tier="free", expires_days=None
    )
    await api_keys.set_tier(session, "acme", made["key_id"], "demo")
    await api_keys.revoke(session, "acme", made["key_id"])
    (listed,) = await api_keys.list_keys(session, "acme")
    assert (listed["tier"], listed["state"]) == ("demo", "revoked")
    await session.close()


async def test_the_command_line(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{url}?connect_timeout=10&application_name=mine")
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("QUORUM_KEY_PEPPER", "pepper")
    for arguments in (
        ["migrate"],
        ["keys", "create", "--name", "n", "--json"],
        ["keys", "list", "--json"],
    ):
        assert await asyncio.to_thread(run, arguments) == 0, capfd.readouterr().err
    assert '"name": "n"' in capfd.readouterr().out


async def test_files_are_loaded_and_read_as_history(
    url: str, empty: asyncpg.Connection, tmp_path: Path
) -> None:
    world = tmp_path / "world.parquet"
    write(GeneratorSpec(100, END_MS - 30 * DAY_MS, END_MS, seed=5, fraud_share=0.05), world)
    report = await load_file(url, world, "canonical")
    other = await Lock.on(url, name="other")
    assert await other.take("quorum.load", f"default {report.source}")
    with pytest.raises(LoadBusy):
        await load_file(url, world, "canonical", again=True)
    await other.close()
    again = await load_file(url, world, "canonical", again=True)
    assert report.loaded == await empty.fetchval("SELECT count(*) FROM transactions")
    assert (again.loaded, again.bad) == (0, 0)
    history = await read_history(url, "default")
    assert len(history) == await empty.fetchval("SELECT count(*) FROM transactions") > 500
    assert (history.label == 1).sum() > 0
    assert await newest_payment_ms(url, "default") == history.batch.timestamp_ms[-1]


async def test_cursors_of_two_readers_have_names_of_their_own(
    url: str, empty: asyncpg.Connection
) -> None:
    """The sessions of a pooler share the names of all clients' statements."""
    batch = payments(600, seed=1, late=0.0, duplicate=0.0)
    pool = await open_pool(url, size=4, timeout_s=30)
    await insert(pool, batch)
    tenant = batch.tenant[0]
    found = await asyncio.gather(*(read_history(url, tenant) for _ in range(8)))
    assert {len(history) for history in found} == {len(batch)}
    await pool.close()


async def test_plans(url: str, empty: asyncpg.Connection) -> None:
    made = await asyncio.gather(*(activate_plan(url, PLAN) for _ in range(6)))
    assert sorted(plan.version for plan in made) == [1, 2, 3, 4, 5, 6]
    await reactivate_plan(url, PLAN.name, 2)
    assert await active_plan(url) == replace(PLAN, version=2)
    reader = PlanReader(url, 30.0)
    for _ in range(5):
        (row,) = await reader.changes({})
        assert row.document is not None
        assert Plan.from_document(json.loads(row.document)) == replace(PLAN, version=2)
    assert reader.trouble == ""
    await reader.close()


async def test_decisions_are_shipped_and_read_and_labelled(
    url: str, empty: asyncpg.Connection
) -> None:
    sink = PostgresSink(url)
    written = decision_records(6, "p", at_ms=now_ms())
    await sink.insert(gathered(written))
    await sink.insert(gathered([*written, *decision_records(4, "q", at_ms=now_ms())]))
    await sink.close()
    assert await empty.fetchval("SELECT count(*) FROM decisions") == 10
    settings = Settings(database_url=url, database_replica_url=url)  # type: ignore[arg-type]
    primary, replica = await open_pools(settings)
    records = Records(primary, replica, now_ms)
    for record in written:
        found = await records.decision("default", record.decision_id)
        assert found.record.outcome == record.outcome
    new = [NewLabel(True, "bank", None, record.decision_id) for record in written]
    labels = await asyncio.gather(*(records.label("default", label) for label in new))
    assert all(is_new for _, is_new in labels)
    again = [records.label("default", new[0]) for _ in range(8)]
    assert not any(is_new for _, is_new in await asyncio.gather(*again))
    assert await records.key("nobody") is None
    await primary.close()
    assert replica is not None
    await replica.close()
    async with DecisionHistory.open(url, "default") as history:
        period = await history.period(None, None)
        assert period is not None
        parts = [len(part) async for part in history.decisions(period)]
    assert sum(parts) == 10


async def test_a_commit_means_the_disk_where_the_server_does_not_wait_for_it(
    url: str, empty: asyncpg.Connection
) -> None:
    """The tests' server has synchronous_commit off: the sink turns it on for its transaction."""
    sink = PostgresSink(url)
    seen = []

    session = await sink._connected()
    assert not sink._waits_for_disk
    session.add_query_logger(lambda said: seen.append(said.query))
    await sink.insert(gathered(decision_records(1, "disk")))
    await asyncio.sleep(0)
    assert "SET LOCAL synchronous_commit = on" in seen
    await sink.close()


async def test_features_and_labels(url: str, redis_url: str, empty: asyncpg.Connection) -> None:
    settings = Settings(database_url=url, redis_url=redis_url)  # type: ignore[arg-type]
    batch = payments(200, seed=4, late=0.0, duplicate=0.0)
    pool = await open_pool(url, size=4, timeout_s=30)
    await insert(pool, batch)
    store = RedisStore(RedisConnection(redis_url, 30_000), PostgresHistory(pool), replay_ttl_s=600)
    at_ms = max(batch.timestamp_ms) + 1_000
    names = [f"new-{t}" for t in batch.transaction_id]
    new = replace(batch, transaction_id=names, timestamp_ms=[at_ms] * len(batch))
    for start in range(0, 200, 20):  # every one cold
        found = await store.observe_and_fetch(Events.of(new.slice(start, start + 20)))
        assert found.degraded == {}
    feed = LabelFeed(pool, store)
    for i in range(20):
        await pool.execute(
            "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
            " VALUES ($1, $2, true, now(), 'bank')",
            *(batch.tenant[i], batch.transaction_id[i]),
        )
    assert await feed.step(datetime.now(UTC) + timedelta(days=1)) == 20
    await store.close()
    await pool.close()
    service = await FeatureService.connect(settings)
    await service.ready()
    assert len(await service.fetch(new.slice(0, 5))) == 5
    await service.close()


async def _take(lock: Lock, name: str, of: str = "") -> None:
    """As soon as the server has seen that its holder is gone."""
    async with asyncio.timeout(60):
        taken = False
        while not taken:
            taken = await lock.take(name, of)
            await asyncio.sleep(0.02)


async def test_a_lock_is_one_s_alone_and_goes_with_its_connection(url: str) -> None:
    first, second = await Lock.on(url, name="one"), await Lock.on(url, name="two")
    assert await first.take("what", "acme")
    for _ in range(8):
        assert not await second.take("what", "acme")
    assert await second.take("what", "other")
    first.drop()
    await _take(second, "what", "acme")
    await second.close()
    third = await Lock.on(url, name="three")
    await _take(third, "what", "acme")
    await third.close()


async def test_a_lock_is_the_same_with_and_without_a_pooler(url: str, database_url: str) -> None:
    direct, behind = await Lock.on(database_url, name="one"), await Lock.on(url, name="two")
    assert await direct.take("both")
    assert not await behind.take("both")
    await direct.close()
    await _take(behind, "both")
    await behind.close()


async def test_a_training_is_alone(url: str) -> None:
    def hold() -> None:
        with advisory_lock(url, "quorum.retrain", "acme"):
            with pytest.raises(Busy), advisory_lock(url, "quorum.retrain", "acme"):
                pass
            with advisory_lock(url, "quorum.retrain", "other"):
                pass
        with advisory_lock(url, "quorum.retrain", "acme", wait_s=5):
            pass

    await asyncio.to_thread(hold)


async def test_drift_is_measured_by_one(
    url: str, database_url: str, empty: asyncpg.Connection, tmp_path: Path
) -> None:
    train_champion(tmp_path / "artifacts")
    await serve_moved(database_url, datetime.now(UTC))
    store = open_store(str(tmp_path / "artifacts"), Settings(home=tmp_path))
    watches = [
        DriftWatch(url, "default", lambda: {"": PLAN}, lambda plan: origin_of(plan, store), 60, 5)
        for _ in range(2)
    ]
    assert await watches[0].refresh() is not None
    assert await watches[1].refresh() is None
    assert await watches[0].refresh() is not None
    for watch in watches:
        await watch.close()


async def test_a_parameter_that_the_pooler_does_not_pass_on_is_named(url: str) -> None:
    with pytest.raises(StoreUnreachable, match="options") as refused:
        await connect(f"{url}?options=-c%20search_path%3Dpublic")
    assert "ignore_startup_parameters" in refused.value.hint
