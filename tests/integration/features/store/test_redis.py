"""The store on a real Redis over a real PostgreSQL: the same bits as the one in memory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from cluster.embedded import EmbeddedRedis
from features.assemble import without_history
from features.backfill import backfill
from features.definitions import NAMES
from features.degraded import (
    FEATURES_UNAVAILABLE,
    HISTORY_UNAVAILABLE,
    RETRY_IN_FLIGHT,
    TRANSACTION_REUSED,
)
from features.service import FeatureService
from features.state.entities import KEPT, ROLES, Entity
from features.state.events import Events, Key
from features.state.journal import EVENT_BYTES
from features.store.interface import Cursor, Past
from features.store.keys import LATELY_S, STATE_TTL_S, state_key
from features.store.memory import MemoryStore
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.errors import StoreUnavailable
from fraud.payment.batch import TRANSACTION_COLUMNS, FeatureBatch, TransactionBatch
from stores.redis.connection import RedisConnection
from tests.contracts.aggregates import assert_same
from tests.contracts.feature_store import FeatureStoreContract, bits, serve
from tests.contracts.payments import DAY_MS, labels_of, payments
from tests.contracts.waiting import until
from tests.contracts.window_aggregates import aggregates_of

HANDBOOK = Path("../shared/data/handbook_raw/dev_2018-04-01_to_2018-08-14.parquet")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await pool.execute("TRUNCATE transactions, decisions")
        yield pool


@pytest.fixture
async def store(redis_url: str, pool: asyncpg.Pool) -> AsyncIterator[RedisStore]:
    link = RedisConnection(redis_url, timeout_ms=30_000)
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


def relink(store: RedisStore, link: RedisConnection) -> RedisConnection:
    """Connect a store to another Redis, or to none. Returns its previous connection."""
    had = store._redis
    store._redis = store._warming._redis = link
    return had


class TestRedisStore(FeatureStoreContract):
    pass


@pytest.mark.parametrize("seed", range(4))
async def test_parity_with_the_replay_late_and_duplicate_events_included(
    store: RedisStore, seed: int
) -> None:
    batch = payments(1_500, seed=seed, late=0.2, duplicate=0.1)
    offline = list(backfill([batch]))
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
        def rebuild(self, *_: object) -> Any:
            raise StoreUnavailable("gone")

    batch = payments(40, seed=2, duplicate=0.0)
    warm, cold = batch.slice(0, 20), batch.slice(20, 40)
    await serve(store, warm)
    broken = RedisStore(RedisConnection(redis_url, 30_000), Gone(pool), replay_ttl_s=600)
    events = Events.of(cold)
    observation = await broken.observe_and_fetch(events)
    await broken.close()
    warmed = Events.of(warm)
    known: dict[str, set[str | None]] = {}
    for role in ROLES:
        known.setdefault(role.entity.name, set()).update(warmed.ids[role.name])
    without = set()
    for role in ROLES:
        for i, identity in enumerate(events.ids[role.name]):
            warm_one = identity is not None and identity in known[role.entity.name]
            assert (observation.states[role.name][i] is not None) == warm_one
            if identity is not None and not warm_one:
                without.add(i)
    assert observation.degraded == dict.fromkeys(sorted(without), ("history_unavailable",))


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
    healthy = relink(store, RedisConnection("redis://127.0.0.1:1", 200))
    lost = await service.fetch(missed)
    assert lost.degraded == [("features_unavailable",)] * 20
    assert np.isnan(lost.values[:, NAMES.index("customer_count_24h")]).all()
    await relink(store, healthy).close()
    await insert(pool, past)
    await insert(pool, missed)  # decided without history, but on record
    await made_up(store)
    assert bits(await service.fetch(now)) == bits(await serve(memory, now))


def thirds(seed: int) -> tuple[TransactionBatch, TransactionBatch, TransactionBatch]:
    """Payments of a few customers: observed, missed, and later ones."""
    batch = payments(60, seed=seed, duplicate=0.0, customers=2, late=0.0)
    return batch.slice(0, 20), batch.slice(20, 40), batch.slice(40, 60)


async def made_up(store: RedisStore) -> None:
    """Wait until the missed rows have been added."""
    assert store._catching_up is not None
    await store._catching_up
    assert (len(store._missed), store._n_missed) == (0, 0)


async def let_time_pass(store: RedisStore) -> None:
    """Remove the marks of recently rebuilt states."""
    await store._redis.call("UNLINK", *await store._redis.call("KEYS", "q:i:*"))


async def test_missed_rows_get_into_warm_states_whether_they_are_on_record_or_not(
    store: RedisStore,
) -> None:
    past, missed, now = thirds(16)
    await serve(store, past)
    await let_time_pass(store)
    service = FeatureService(store)
    for i in range(0, 20, 5):
        service.missed(missed.slice(i, i + 5), 1.0)
    await made_up(store)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


async def test_a_missed_row_that_is_tried_again_counts_once(store: RedisStore) -> None:
    past, missed, now = thirds(17)
    await serve(store, past)
    await let_time_pass(store)
    store.missed(Events.of(missed))
    await made_up(store)
    await serve(store, missed.slice(5, 15))
    store.missed(Events.of(missed))
    await made_up(store)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


@pytest.mark.parametrize("ago_s", [5.0, 10 * LATELY_S])
async def test_a_missed_row_that_another_replica_has_found_on_record_counts_once(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore, ago_s: float
) -> None:
    past, missed, now = thirds(18)
    await insert(pool, past)
    await insert(pool, missed)
    other = RedisStore(RedisConnection(redis_url, 30_000), PostgresHistory(pool), replay_ttl_s=600)
    await serve(other, now.slice(0, 10))  # finds every state cold
    await other.close()
    await insert(pool, now.slice(0, 10))
    if ago_s > LATELY_S:  # so long ago that nobody knows what was rebuilt since
        await let_time_pass(store)
    store.missed(Events.of(missed), ago_s)
    await made_up(store)
    seen = await serve(store, now.slice(10, 20))
    wanted = await serve(memory_of(past, missed, now.slice(0, 10)), now.slice(10, 20))
    assert bits(seen) == bits(wanted)


async def test_a_state_that_was_rebuilt_before_rows_were_missed_is_kept(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    past, missed, now = thirds(21)
    await serve(store, past)  # rebuilds every state; nothing is on record, nor will be
    for name in await store._redis.call("KEYS", "q:i:*"):
        await store._redis.call("EXPIRE", name, LATELY_S - 60)
    store.missed(Events.of(missed), 20.0)
    await made_up(store)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


async def test_missed_rows_are_taken_in_a_call_s_worth_at_a_time(store: RedisStore) -> None:
    batch = payments(500, seed=23, duplicate=0.0)
    for start, stop in (0, 200), (200, 400), (400, 450), (450, 500):
        store._missed.append((Events.of(batch.slice(start, stop)), 0.0))
    sizes = []
    while store._missed:
        sizes.append(len(store._next_missed()[0]))
    assert sizes == [200, 250, 50]


async def test_rows_that_can_never_be_taken_in_keep_no_others_out(
    store: RedisStore, caplog: pytest.LogCaptureFixture
) -> None:
    past, missed, now = thirds(22)
    await serve(store, past)
    await let_time_pass(store)
    bad = Events.of(missed)
    store.missed(replace(bad, ids={}))
    await asyncio.sleep(0)
    store.missed(Events.of(missed))
    await made_up(store)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


async def test_missed_rows_of_a_redis_that_has_lost_everything_count_once(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    past, missed, now = thirds(19)
    await serve(store, past)
    await insert(pool, past)
    await insert(pool, missed)
    await store._redis.call("FLUSHALL")
    store.missed(Events.of(missed))
    await made_up(store)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


async def test_rows_that_a_slow_redis_took_in_are_not_taken_for_missed(
    redis_url: str, redis_server: EmbeddedRedis, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = of_customer(payments(30, seed=12, duplicate=0.0), "busy", "shop")
    before, late, now = (batch.slice(i, i + 10) for i in range(0, 30, 10))
    source = Late(pool)
    source.released.set()
    hasty = RedisStore(RedisConnection(redis_url, 30_000), source, replay_ttl_s=600)
    await serve(hasty, before)
    asked = source.asked
    patient = relink(hasty, RedisConnection(redis_url, 100))
    await hasty._redis.call("PING")
    assert redis_server.pid is not None
    os.kill(redis_server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            await hasty.observe_and_fetch(Events.of(late))
    finally:
        os.kill(redis_server.pid, signal.SIGCONT)
    await relink(hasty, patient).close()
    served = await hasty.observe_and_fetch(Events.of(now))
    assert (served.degraded, source.asked) == ({}, asked)
    wanted = aggregates_of(memory_of(before, late).observe(Events.of(now)).reading(Events.of(now)))
    for role, seen in aggregates_of(served.reading(Events.of(now))).items():
        assert_same(seen, wanted[role], role)
    await hasty.close()


async def decided(
    pool: asyncpg.Pool, batch: TransactionBatch, features: FeatureBatch, at: datetime, *why: str
) -> None:
    """Put decisions that were based on `features` on record."""
    await pool.executemany(
        "INSERT INTO decisions (tenant, decision_id, decided_at, transaction_id, customer_id,"
        " outcome, probability, plan, plan_version, degraded, schema_id, features, record)"
        " VALUES ($1, gen_random_uuid(), $2, $3, $4, 'approve', 0, 'p', 1, $5, $6, $7, $8)",
        [
            (
                *(batch.tenant[i], at, batch.transaction_id[i], batch.customer_id[i], list(why)),
                *(features.schema_id, features.values[i].tobytes()),
                json.dumps(
                    {
                        "feature_age_ms": int(features.age_ms[i]),
                        "transaction": asdict(batch.row(i)),
                    }
                ),
            )
            for i in range(len(batch))
        ],
    )


async def let_rows_go(store: RedisStore) -> None:
    """Let the kept features expire."""
    assert await store._redis.call("UNLINK", *await store._redis.call("KEYS", "q:k:*"))


async def test_a_late_retry_gets_what_its_first_decision_was_based_on(
    store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(12, seed=13, duplicate=0.0)
    late, unknown = batch.slice(0, 10), batch.slice(10, 12)
    blind = without_history(late)
    first = await serve(store, late)
    await serve(store, unknown)
    moment = datetime.now(UTC) - timedelta(minutes=5)
    await decided(pool, late, blind, moment - timedelta(hours=1))  # of another life of the id
    await decided(pool, late, blind, moment, FEATURES_UNAVAILABLE)
    own = replace(first, values=first.values - 1)
    await decided(pool, late, own, moment, RETRY_IN_FLIGHT)
    await decided(pool, late, first, moment + timedelta(seconds=1))
    later = replace(first, values=first.values + 1)
    await decided(pool, late, later, moment + timedelta(seconds=2))
    await let_rows_go(store)
    service = FeatureService(store)
    again = await service.fetch(batch)
    assert again.values[:10].tobytes() == first.values.tobytes()
    assert again.age_ms[:10].tolist() == first.age_ms.tolist()
    assert again.degraded == [()] * 10 + [(RETRY_IN_FLIGHT,)] * 2  # those are on no record
    await service.close()


async def test_a_late_retry_is_never_given_what_another_payment_under_its_id_was_based_on(
    store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(3, seed=13, duplicate=0.0)
    first = await serve(store, batch)
    moment = datetime.now(UTC) - timedelta(minutes=5)
    other = replace(batch, customer_id=[f"other-{i}" for i in range(3)])
    reused = replace(first, values=first.values + 1)
    await decided(pool, other, reused, moment, TRANSACTION_REUSED)
    await decided(pool, batch, first, moment + timedelta(seconds=1), RETRY_IN_FLIGHT)
    await let_rows_go(store)
    service = FeatureService(store)
    again = await service.fetch(batch)
    assert again.values.tobytes() == first.values.tobytes()
    assert again.degraded == [(RETRY_IN_FLIGHT,)] * 3, "as in the first answer"
    await service.close()


async def test_a_retry_says_again_that_its_history_was_not_there(
    redis_url: str, pool: asyncpg.Pool
) -> None:
    class Gone(PostgresHistory):
        def rebuild(self, *_: object) -> Any:
            raise StoreUnavailable("gone")

    service = FeatureService(
        RedisStore(RedisConnection(redis_url, 30_000), Gone(pool), replay_ttl_s=600)
    )
    row = payments(1, seed=14, prefix="unheard-of-")
    answers = [await service.fetch(row) for _ in range(2)]
    assert [answer.degraded for answer in answers] == [[(HISTORY_UNAVAILABLE,)]] * 2
    await service.close()


async def test_the_first_of_an_id_stays_the_payment_though_its_customer_is_cold(
    store: RedisStore, pool: asyncpg.Pool
) -> None:
    known = of_customer(payments(2, seed=22, duplicate=0.0), "known", "m")
    await serve(store, known)
    cold = of_customer(payments(1, seed=23, duplicate=0.0, prefix="x"), "cold", "n")
    warm = replace(known.slice(0, 1), transaction_id=list(cold.transaction_id))
    service = FeatureService(store)
    batch = TransactionBatch.concat([cold, warm])
    hasty = await service.fetch(batch, patient=False)
    assert (len(hasty), hasty.pending) == (0, (0, 1))
    assert (await service.fetch(batch)).degraded == [(), (TRANSACTION_REUSED,)]
    await service.close()


async def test_a_late_retry_while_postgres_is_gone_says_that_it_may_see_itself(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    class Gone(PostgresHistory):
        async def first_features(self, *_: object) -> list[bytes | None]:
            raise StoreUnavailable("gone")

    row = payments(1, seed=14)
    await serve(store, row)
    await let_rows_go(store)
    service = FeatureService(
        RedisStore(RedisConnection(redis_url, 30_000), Gone(pool), replay_ttl_s=600)
    )
    assert (await service.fetch(row)).degraded == [(RETRY_IN_FLIGHT,)]
    await service.close()


async def test_rows_are_let_go_before_their_transactions(store: RedisStore) -> None:
    brief = RedisStore(store._redis, store._history, replay_ttl_s=600, keep_rows_s=30)
    await serve(brief, payments(3, seed=15))
    for pattern, expected in ("q:k:*", 30), ("q:t:*", 600):
        for name in await store._redis.call("KEYS", pattern):
            assert expected - 10 < await store._redis.call("TTL", name) <= expected


async def test_concurrent_retries_get_one_answer(store: RedisStore) -> None:
    service = FeatureService(store)
    row = payments(1, seed=4)
    answers = await asyncio.gather(*(service.fetch(row) for _ in range(20)))
    assert len({bits(answer) for answer in answers}) == 1
    assert all(answer.degraded == [()] for answer in answers)
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
    offline = list(backfill([batch]))
    assert b"".join(f.values.tobytes() for f in online) == b"".join(
        f.values.tobytes() for f in offline
    )


class Late(PostgresHistory):
    """A history that rebuilds only once it is released."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.released = asyncio.Event()
        self.asked = 0

    @asynccontextmanager
    async def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key], until: Cursor
    ) -> AsyncIterator[Past]:
        self.asked += 1
        await self.released.wait()
        async with super().rebuild(entity, keys, without, until) as past:
            yield past


def late_store(redis_url: str, source: PostgresHistory, wait_ms: float = 1.0) -> RedisStore:
    link = RedisConnection(redis_url, 30_000)
    return RedisStore(link, source, replay_ttl_s=600, rebuild_wait_ms=wait_ms)


def of_customer(batch: TransactionBatch, customer: str, merchant: str) -> TransactionBatch:
    """The same payments, all of one customer at one merchant."""
    n = len(batch)
    nobody: list[str | None] = [None] * n
    return replace(
        batch,
        customer_id=[customer] * n,
        merchant_id=[merchant] * n,
        device_id=nobody,
        counterparty_id=nobody,
    )


@pytest.mark.parametrize("on_record", ["before", "after", "never"])
async def test_who_does_not_wait_for_a_cold_customer_is_counted_once(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore, on_record: str
) -> None:
    """Whether a payment that was answered meanwhile gets on record before the state is rebuilt,
    after, or not at all yet."""
    batch = payments(60, seed=5, duplicate=0.0)
    past, unseen = (of_customer(batch.slice(*r), "cold", "cold") for r in ((0, 40), (40, 50)))
    warm, now = of_customer(batch.slice(40, 50), "w", "w"), batch.slice(50, 60)
    warm = replace(warm, transaction_id=[f"w{i}" for i in range(10)])
    now = of_customer(now, "cold", "cold")
    await insert(pool, past)
    await serve(store, warm)
    source = Late(pool)
    late = late_store(redis_url, source)
    mixed = TransactionBatch.concat([unseen, replace(warm, transaction_id=["x"] * 10)])

    events = Events.of(mixed)
    observation = await late.observe_and_fetch(events)
    # Of the rows that came cold; those beside them miss nothing.
    assert observation.degraded == dict.fromkeys(range(10), ("history_unavailable",))
    assert observation.states["customer"].present.tolist() == [False] * 10 + [True] * 10
    again = await late.observe_and_fetch(Events.of(unseen))  # all of them retried
    assert again.repeated == set(range(10))
    if on_record == "before":
        await insert(pool, unseen)
    source.released.set()
    await late._warming.close()
    if on_record == "after":
        await insert(pool, unseen)

    served = await late.observe_and_fetch(Events.of(now))
    assert served.degraded == {}
    seen = aggregates_of(served.reading(Events.of(now)))["customer"]
    wanted = memory_of(past, unseen).observe(Events.of(now))
    assert_same(seen, aggregates_of(wanted.reading(Events.of(now)))["customer"], "customer")
    assert await late._redis.call("KEYS", "q:a:*") == []
    await late.close()


def memory_of(*parts: TransactionBatch) -> MemoryStore:
    memory = MemoryStore()
    for part in parts:
        memory.observe(Events.of(part))
    return memory


def transfer(batch: TransactionBatch, i: int, payer: str, payee: str) -> TransactionBatch:
    """Row i, as a payment between two accounts that names no other entity."""
    row = of_customer(batch.slice(i, i + 1), payer, "shop")
    return replace(row, merchant_id=[None], counterparty_id=[payee])


async def test_a_row_put_aside_for_one_account_is_not_missing_from_the_other(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(6, seed=20, duplicate=0.0, late=0.0)
    past, missed, now = (transfer(batch, i, *who) for i, who in enumerate(("xB", "AB", "BA")))
    await serve(store, past)
    await insert(pool, past)
    late = late_store(redis_url, Late(pool))
    observed = await late.observe_and_fetch(Events.of(missed))
    assert observed.degraded == {0: ("history_unavailable",)}  # of A; B is there
    for task in late._warming._tasks.values():  # its replica dies
        task.cancel()
    await late.close()
    await insert(pool, missed)
    names = [state_key(entity, ("default", "B")) for entity in KEPT]
    assert await store._redis.call("UNLINK", *names)
    assert bits(await serve(store, now)) == bits(await serve(memory_of(past, missed), now))


async def test_rows_that_come_while_another_replica_rebuilds_are_counted_once(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = of_customer(payments(40, seed=6, duplicate=0.0), "cold", "cold")
    past, mine, yours, now = (batch.slice(i, i + 10) for i in range(0, 40, 10))
    await insert(pool, past)
    sources = Late(pool), Late(pool)
    replicas = [late_store(redis_url, source) for source in sources]
    for replica, part in zip(replicas, (mine, yours), strict=True):
        assert (await replica.observe_and_fetch(Events.of(part))).degraded
    await insert(pool, mine)
    for source, replica in zip(reversed(sources), reversed(replicas), strict=True):
        source.released.set()  # the source asked last answers first
        await replica._warming.close()
    served = aggregates_of((await store.observe_and_fetch(Events.of(now))).reading(Events.of(now)))
    wanted = memory_of(past, mine, yours).observe(Events.of(now))
    for role, seen in served.items():
        assert_same(seen, aggregates_of(wanted.reading(Events.of(now)))[role], role)
    for replica in replicas:
        await replica.close()


@pytest.mark.parametrize("recorded", [0, 4, 10])
async def test_rows_that_come_while_a_state_is_rebuilt_are_in_it_once(
    recorded: int, redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = of_customer(payments(40, seed=7, duplicate=0.0), "cold", "cold")
    parts = [batch.slice(i, i + 10) for i in range(0, 40, 10)]
    source = Late(pool)
    late = late_store(redis_url, source)
    for part in parts[:2]:  # the second joins a task that does not know of it
        assert (await late.observe_and_fetch(Events.of(part))).degraded
        await until(lambda: source.asked == 2)  # customer and merchant
    await insert(pool, parts[0])
    if recorded:
        await insert(pool, parts[1].slice(0, recorded))
    source.released.set()
    await late._warming.close()
    assert source.asked == 2
    served = await late.observe_and_fetch(Events.of(parts[2]))
    assert served.degraded == {}
    wanted = memory_of(*parts[:2]).observe(Events.of(parts[2]))
    for role, seen in aggregates_of(served.reading(Events.of(parts[2]))).items():
        assert_same(seen, aggregates_of(wanted.reading(Events.of(parts[2])))[role], role)
    await late.close()


async def test_who_stops_waiting_is_counted_nevertheless(
    redis_url: str, pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = of_customer(payments(20, seed=8, duplicate=0.0), "cold", "cold")
    first, now = batch.slice(0, 10), batch.slice(10, 20)
    source = Late(pool)
    late = late_store(redis_url, source, wait_ms=5_000)
    asking = asyncio.create_task(late.observe_and_fetch(Events.of(first)))
    await until(lambda: source.asked == 2)
    asking.cancel()
    source.released.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await late.close()
    served = aggregates_of((await store.observe_and_fetch(Events.of(now))).reading(Events.of(now)))
    wanted = aggregates_of(memory_of(first).observe(Events.of(now)).reading(Events.of(now)))
    assert_same(served["customer"], wanted["customer"], "customer")


async def test_a_payment_known_to_redis_alone_survives_a_retry_while_its_customer_is_cold(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    """Its marker shows that it was observed: the rebuilt state takes it from the record."""
    batch = of_customer(payments(20, seed=9, duplicate=0.0), "c", "m")
    first, now = batch.slice(0, 10), batch.slice(10, 20)
    await serve(store, first)
    await insert(pool, first)
    await store._redis.call("DEL", *await store._redis.call("KEYS", "q:s:*"))  # let go
    await store.observe_and_fetch(Events.of(first))
    served = aggregates_of((await store.observe_and_fetch(Events.of(now))).reading(Events.of(now)))
    wanted = aggregates_of(memory_of(first).observe(Events.of(now)).reading(Events.of(now)))
    assert_same(served["customer"], wanted["customer"], "customer")


async def test_the_fetch_says_where_its_time_went(store: RedisStore) -> None:
    service = FeatureService(store)
    features = await service.fetch(payments(5, seed=1))
    assert features.stage_ms.keys() == {"redis", "assemble"}
    assert all(ms > 0 for ms in features.stage_ms.values())
    await service.close()


async def test_cold_rows_are_left_out_and_nothing_of_theirs_counts_until_they_come_again(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(60, seed=21, duplicate=0.0, late=0.0)
    past, now = batch.slice(0, 30), batch.slice(30, 60)
    await insert(pool, past)
    known = of_customer(payments(4, seed=22, duplicate=0.0), "known", "m")
    await serve(store, known)
    mixed = TransactionBatch.concat([now.slice(0, 5), known.slice(0, 2), now.slice(5, 10)])
    fresh = replace(mixed, transaction_id=[f"again-{i}" for i in range(len(mixed))])
    service = FeatureService(store)
    first = await service.fetch(fresh, patient=False)
    assert first.pending == (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)
    assert (len(first), first.degraded) == (2, [(), ()])
    rest = fresh.take(first.pending)
    second = await service.fetch(rest)
    assert (second.pending, any(second.degraded)) == ((), False)
    memory = memory_of(past)
    assert bits(second) == bits(await serve(memory, rest))
    await service.close()


async def test_a_batch_of_cold_rows_alone_comes_back_empty(store: RedisStore) -> None:
    service = FeatureService(store)
    batch = payments(3, seed=23, duplicate=0.0)
    first = await service.fetch(batch, patient=False)
    assert (len(first), first.pending) == (0, (0, 1, 2))
    assert len(await service.fetch(batch)) == 3
    await service.close()


async def test_a_state_that_is_touched_on_another_day_is_kept_for_two_weeks_from_then(
    store: RedisStore,
) -> None:
    one = of_customer(payments(1, seed=3), "c", "m")
    noon_ms = one.timestamp_ms[0] // DAY_MS * DAY_MS + DAY_MS // 2
    one = replace(one, timestamp_ms=[noon_ms])
    await store.observe_and_fetch(Events.of(one))
    (key,) = await store._redis.call("KEYS", "q:s:*:customer:*")
    left_s = []
    for name, at_ms in (("same", noon_ms + 1), ("next", noon_ms + DAY_MS)):
        await store._redis.call("EXPIRE", key, 100)
        other = replace(one, transaction_id=[name], timestamp_ms=[at_ms])
        await store.observe_and_fetch(Events.of(other))
        left_s.append(await store._redis.call("TTL", key))
    assert left_s[0] <= 100
    assert left_s[1] > STATE_TTL_S - 100


async def journal_lengths(store: RedisStore) -> list[int]:
    keys = await store._redis.call("KEYS", "q:s:*")
    return [int(n) for n in await store._redis.calls([("STRLEN", key) for key in keys])]


async def test_journals_that_grow_long_are_given_new_bases_and_say_the_same(
    store: RedisStore,
) -> None:
    batch = payments(400, seed=31, duplicate=0.0, customers=2)
    for start in range(0, 300, 20):
        await serve(store, batch.slice(start, start + 20))
    await asyncio.gather(*store._waiting)
    rest = batch.slice(300, 400)
    memory = memory_of(batch.slice(0, 300))
    # Of fifteen micro-batches the events of one remain at most, in journals that had few.
    longest = max(entity.size for entity in KEPT) + 20 * EVENT_BYTES
    assert max(await journal_lengths(store)) <= longest
    assert bits(await serve(store, rest)) == bits(await serve(memory, rest))


async def test_what_is_appended_while_a_new_base_is_on_its_way_is_not_lost(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = of_customer(payments(60, seed=32, duplicate=0.0, late=0.0), "c", "m")
    sent: list[Sequence[Any]] = []
    now = store._give_bases

    async def hold(grown: Sequence[Any]) -> None:
        sent.append(grown)

    monkeypatch.setattr(store, "_give_bases", hold)
    for start in range(0, 50, 10):
        await serve(store, batch.slice(start, start + 10))
    await asyncio.gather(*store._waiting)
    assert len(sent) == 5
    await now(sent[2])  # two micro-batches came after it
    lengths = await journal_lengths(store)
    for late in (sent[0], sent[2], sent[4]):  # of bases that are no more
        await now(late)
    assert await journal_lengths(store) == lengths
    memory = memory_of(batch.slice(0, 50))
    last = batch.slice(50, 60)
    assert bits(await serve(store, last)) == bits(await serve(memory, last))


async def test_labels_alone_do_not_make_a_journal_long(store: RedisStore) -> None:
    batch = of_customer(payments(300, seed=34, duplicate=0.0, late=0.0), "c", "m")
    memory = memory_of(batch)
    await serve(store, batch)
    for seed in range(8):  # as if each had been labelled again and again
        labels = labels_of(batch, seed=seed, corrected=0.0)
        await store.learn(labels)
        await memory.learn(labels)
        await asyncio.gather(*store._waiting)
        # What one call appends may lie on top.
        assert max(await journal_lengths(store)) <= 32 * 1024 + len(labels) * EVENT_BYTES
    later = replace(batch.slice(299, 300), transaction_id=["later"])
    assert bits(await serve(store, later)) == bits(await serve(memory, later))


async def test_a_repeat_that_another_process_took_meanwhile_is_not_appended(
    redis_url: str, store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(30, seed=33, duplicate=0.0)
    other = RedisStore(RedisConnection(redis_url, 30_000), PostgresHistory(pool), replay_ttl_s=600)
    await asyncio.gather(*(serve(s, batch) for s in (store, other, store, other)))
    memory = memory_of(batch)
    later = replace(batch, transaction_id=[f"later-{i}" for i in range(30)])
    assert bits(await serve(store, later)) == bits(await serve(memory, later))
    await other.close()
