"""The store on a real Redis over a real PostgreSQL: the same bits as the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from features.definitions import NAMES
from features.entities import ROLES
from features.events import Events
from features.replay import replay
from features.service import FeatureService
from features.store.link import Link
from features.store.memory import MemoryStore
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.batch import TRANSACTION_COLUMNS, TransactionBatch
from fraud.errors import StoreUnavailable
from tests.contracts.feature_store import FeatureStoreContract, bits, serve
from tests.contracts.payments import payments

HANDBOOK = Path("../shared/data/handbook_raw/dev_2018-04-01_to_2018-08-14.parquet")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await pool.execute("TRUNCATE transactions")
        yield pool


@pytest.fixture
async def store(redis_url: str, pool: asyncpg.Pool) -> AsyncIterator[RedisStore]:
    link = Link(redis_url, timeout_ms=5_000)
    await link.call("FLUSHALL")
    store = RedisStore(link, PostgresHistory(pool), replay_ttl_s=600)
    yield store
    await store.close()


async def insert(pool: asyncpg.Pool, batch: TransactionBatch) -> None:
    columns = [c for c in TRANSACTION_COLUMNS if c != "timestamp_ms"]
    records, seen = [], set()
    for i, amount in enumerate(batch.amount_hundredths().tolist()):
        if (key := batch.transaction_id[i]) in seen:
            continue
        seen.add(key)
        at = datetime.fromtimestamp(batch.timestamp_ms[i] / 1000, UTC)
        records.append(
            (batch.tenant[i], at, amount, *(getattr(batch, column)[i] for column in columns))
        )
    await pool.copy_records_to_table(
        "transactions",
        records=records,
        columns=["tenant", "occurred_at", "amount_hundredths", *columns],
    )


class TestRedisStore(FeatureStoreContract):
    pass


@pytest.mark.parametrize("seed", range(4))
async def test_parity_with_the_replay_late_and_duplicate_events_included(
    store: RedisStore, seed: int
) -> None:
    batch = payments(1_500, seed=seed, late=0.2, duplicate=0.1)
    offline = list(replay([batch]))
    online = [await serve(store, batch.slice(i, i + 50)) for i in range(0, 1_500, 50)]
    assert b"".join(f.values.tobytes() for f in online) == b"".join(
        f.values.tobytes() for f in offline
    )
    assert np.concatenate([f.age_ms for f in online]).tolist() == offline[0].age_ms.tolist()


@pytest.mark.parametrize("seed", range(4))
async def test_a_cold_entity_reads_as_if_it_had_never_been_forgotten(
    store: RedisStore, pool: asyncpg.Pool, seed: int
) -> None:
    batch = payments(1_200, seed=seed, late=0.3, duplicate=0.0, days=150)
    past, now = batch.slice(0, 1_100), batch.slice(1_100, 1_200)
    memory = MemoryStore()
    memory.observe(Events.of(past))
    await insert(pool, past)
    assert bits(await serve(store, now)) == bits(await serve(memory, now))


async def test_a_retry_of_a_recorded_payment_does_not_see_itself(
    store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(30, seed=1, duplicate=0.0)
    memory = MemoryStore()
    past, last = batch.slice(0, 29), batch.slice(29, 30)
    memory.observe(Events.of(past))
    await insert(pool, batch)  # the payment is on record, Redis has lost everything
    assert bits(await serve(store, last)) == bits(await serve(memory, last))


async def test_postgres_gone_hides_cold_entities_and_does_not_spoil_them(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    class Gone(PostgresHistory):
        async def rebuild(self, *_: object) -> list[bytes]:
            raise StoreUnavailable("gone")

    batch = payments(40, seed=2, duplicate=0.0)
    warm, cold = batch.slice(0, 20), batch.slice(20, 40)
    await serve(store, warm)
    broken = RedisStore(Link(redis_url, 5_000), Gone(pool), replay_ttl_s=600)
    events = Events.of(cold)
    observation = await broken.observe_and_fetch(events)
    await broken.close()
    assert observation.degraded == ("history_unavailable",)
    warmed = Events.of(warm)
    known: dict[str, set[str | None]] = {}
    for role in ROLES:
        known.setdefault(role.entity.name, set()).update(warmed.ids[role.name])
    for role in ROLES:
        for i, identity in enumerate(events.ids[role.name]):
            warm_one = identity is not None and identity in known[role.entity.name]
            assert (observation.states[role.name][i] is not None) == warm_one


async def test_redis_gone_is_said_and_what_it_missed_is_rebuilt(
    redis_url: str, database_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(60, seed=3, duplicate=0.0, customers=1, late=0.0)
    memory = MemoryStore()
    past, missed, now = batch.slice(0, 20), batch.slice(20, 40), batch.slice(40, 60)
    for part in (past, missed):
        memory.observe(Events.of(part))
    await serve(store, past)
    service = FeatureService(store)
    healthy, store._link = store._link, Link("redis://127.0.0.1:1", 200)
    lost = await service.fetch(missed)
    assert lost.degraded == ("features_unavailable",)
    assert np.isnan(lost.values[:, NAMES.index("customer_count_24h")]).all()
    await store._link.close()
    store._link = healthy
    await insert(pool, past)
    await insert(pool, missed)  # decided without history, but on record
    assert bits(await service.fetch(now)) == bits(await serve(memory, now))


async def test_concurrent_retries_get_one_answer(store: RedisStore) -> None:
    service = FeatureService(store)
    row = payments(1, seed=4)
    answers = await asyncio.gather(*(service.fetch(row) for _ in range(20)))
    assert len({bits(answer) for answer in answers}) == 1
    assert {answer.degraded for answer in answers} == {()}
    await service.close()


@pytest.mark.skipif(not HANDBOOK.exists(), reason="the real data sets are not here")
async def test_parity_on_real_payments(store: RedisStore) -> None:
    import pyarrow.parquet as pq

    table = next(pq.ParquetFile(HANDBOOK).iter_batches(batch_size=5_000)).to_pydict()
    n = len(table["TX_AMOUNT"])
    nothing: list[None] = [None] * n
    batch = TransactionBatch(
        ["default"] * n,
        [str(v) for v in table["TRANSACTION_ID"]],
        [str(v) for v in table["CUSTOMER_ID"]],
        [int(v.replace(tzinfo=UTC).timestamp() * 1000) for v in table["TX_DATETIME"]],
        [max(1, round(v * 100)) for v in table["TX_AMOUNT"]],
        ["USD"] * n,
        ["purchase"] * n,
        [str(v) for v in table["TERMINAL_ID"]],
        *[list(nothing) for _ in range(8)],
    )
    online = [await serve(store, batch.slice(i, i + 100)) for i in range(0, n, 100)]
    offline = list(replay([batch]))
    assert b"".join(f.values.tobytes() for f in online) == b"".join(
        f.values.tobytes() for f in offline
    )
