"""Each label written to PostgreSQL ends up in window state once, whatever is restarted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import pytest

from features import label_feed
from features.label_feed import LabelFeed
from features.service import FeatureService
from features.state.entities import ENTITIES, KEPT
from features.state.events import Events
from features.state.labels import REACH_DAYS
from features.store.interface import Past
from features.store.memory import MemoryStore
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.errors import StoreUnavailable
from fraud.payment.batch import TransactionBatch
from stores.redis.connection import RedisConnection
from tests.contracts.aggregates import assert_same
from tests.contracts.payments import DAY_MS, label_rows, labels_of, payments
from tests.contracts.waiting import until
from tests.contracts.window_aggregates import WindowAggregates, aggregates_of
from tests.integration.features.store.test_redis import insert, relink

SOON = timedelta(days=1)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6) as pool:
        await pool.execute("TRUNCATE transactions, labels")
        yield pool


@pytest.fixture
async def store(redis_url: str, pool: asyncpg.Pool) -> AsyncIterator[RedisStore]:
    link = RedisConnection(redis_url, timeout_ms=30_000)
    await link.call("FLUSHALL")
    store = RedisStore(link, PostgresHistory(pool), replay_ttl_s=600)
    yield store
    await store.close()


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def label(
    pool: asyncpg.Pool, batch: TransactionBatch, i: int, fraud: bool, known_ms: int, source: str
) -> None:
    await pool.execute(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " VALUES ($1, $2, $3, $4, $5)",
        *(batch.tenant[i], batch.transaction_id[i], fraud, at(known_ms), source),
    )


async def label_all(pool: asyncpg.Pool, batch: TransactionBatch, seed: int) -> None:
    """Labels of a batch and their corrections, written in random order: some corrections arrive
    before the labels that they correct."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(len(batch)):
        fraud = bool(rng.random() < 0.4)
        for n in range(int(rng.integers(0, 4))):
            known_ms = batch.timestamp_ms[i] + int(rng.integers(0, 8 * DAY_MS))
            rows.append((i, fraud ^ bool(n % 2), known_ms, f"source{n}"))
    for j in rng.permutation(len(rows)):
        await label(pool, batch, *rows[j])


async def drained(feed: LabelFeed) -> int:
    total = 0
    while n := await feed.step(datetime.now(UTC) + SOON):
        total += n
    return total


def later(batch: TransactionBatch, name: str) -> TransactionBatch:
    """One payment of every customer in the batch, six days after the newest."""
    at_ms = max(batch.timestamp_ms) + 6 * DAY_MS
    names = [f"{name}-{t}" for t in batch.transaction_id]
    return replace(batch, transaction_id=names, timestamp_ms=[at_ms] * len(batch))


async def look(
    store: RedisStore, batch: TransactionBatch, name: str
) -> dict[str, WindowAggregates]:
    """What the states of all entities in the batch hold; the payments that read them count too."""
    events = Events.of(later(batch, name))
    return aggregates_of((await store.observe_and_fetch(events)).reading(events))


async def expected(pool: asyncpg.Pool, batch: TransactionBatch) -> dict[str, np.ndarray]:
    """Of each entity that a row names: labels known within 30 daily tiles, and frauds; by SQL."""
    today = (max(batch.timestamp_ms) + 6 * DAY_MS) // DAY_MS
    out = {}
    for entity in ENTITIES:
        rows = await pool.fetch(
            f"""
            SELECT {entity.column} AS id, count(*) AS known,
                   count(*) FILTER (WHERE is_fraud) AS frauds,
                   coalesce(sum(amount_hundredths) FILTER (WHERE is_fraud), 0)::bigint AS total
            FROM transactions JOIN (
                SELECT DISTINCT ON (transaction_id) * FROM labels
                ORDER BY transaction_id, known_at DESC, label_id DESC
            ) l USING (tenant, transaction_id)
            WHERE extract(epoch FROM known_at)::bigint / 86400 BETWEEN $1 - 29 AND $1
            GROUP BY 1
            """,
            today,
        )
        found = {r["id"]: (r["known"], r["frauds"], r["total"]) for r in rows}
        ids = getattr(batch, entity.column)
        out[entity.name] = np.array([found.get(i, (0, 0, 0)) for i in ids])
    return out


def numbers_of(seen: WindowAggregates) -> np.ndarray:
    return np.stack([seen.known[:, 2], seen.frauds[:, 2], seen.fraud_total[:, 2]], axis=1)


async def check(
    pool: asyncpg.Pool, batch: TransactionBatch, seen: dict[str, WindowAggregates]
) -> None:
    wanted = await expected(pool, batch)
    assert wanted["customer"][:, 0].sum() > 0
    for name, numbers in wanted.items():
        named = seen[name].present
        assert np.array_equal(numbers_of(seen[name])[named], numbers[named]), name


@pytest.mark.parametrize("seed", range(4))
async def test_each_label_counts_once_in_whatever_order_it_arrives(
    pool: asyncpg.Pool, store: RedisStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_feed, "BATCH_LABELS", 7)
    batch = payments(60, seed=seed, duplicate=0.0, days=10)
    await insert(pool, batch)
    feed = LabelFeed(pool, store)
    assert await feed.step(datetime.now(UTC)) == 0  # the cursor stands at the present
    half = batch.slice(0, 30)
    await look(store, half, "warm")  # these are warm, the others cold
    await label_all(pool, half, seed)
    await drained(feed)
    await label_all(pool, batch.slice(30, 60), seed + 100)
    await drained(LabelFeed(pool, store))  # restarted
    assert await feed.step(datetime.now(UTC)) == 0
    await check(pool, batch, await look(store, batch, "look"))


async def test_two_feeds_at_once_and_payments_in_between(
    pool: asyncpg.Pool, store: RedisStore, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_feed, "BATCH_LABELS", 3)
    other = RedisStore(RedisConnection(redis_url, 30_000), PostgresHistory(pool), replay_ttl_s=600)
    batch = payments(60, seed=11, duplicate=0.0, days=10)
    await insert(pool, batch)
    await store.cursor()

    async def pay() -> None:
        for i in range(0, 60, 5):  # each of them makes cold states warm while labels come
            await look(store, batch.slice(i, i + 5), f"pay{i}")

    async def write() -> None:
        await label_all(pool, batch, seed=5)

    async def feed(which: RedisStore, writing: asyncio.Task[None]) -> None:
        feeding = LabelFeed(pool, which)
        while not writing.done():
            # Busy writers may keep the moment from coming: then it comes later.
            with suppress(StoreUnavailable):
                await feeding.step(datetime.now(UTC) + SOON)

    writing = asyncio.create_task(write())
    await asyncio.gather(pay(), writing, feed(store, writing), feed(other, writing))
    await drained(LabelFeed(pool, store))
    await check(pool, batch, await look(store, batch, "look"))
    await other.close()


async def test_a_flushed_redis_knows_the_same_labels(pool: asyncpg.Pool, store: RedisStore) -> None:
    batch = payments(60, seed=12, duplicate=0.0, days=10)
    await insert(pool, batch)
    await look(store, batch, "warm")
    await label_all(pool, batch.slice(0, 40), seed=1)
    await drained(LabelFeed(pool, store))
    await store._redis.call("FLUSHALL")
    await label_all(pool, batch.slice(40, 60), seed=2)  # before anybody sets a cursor
    await look(store, batch.slice(0, 20), "some")
    await drained(LabelFeed(pool, store))
    await check(pool, batch, await look(store, batch, "look"))


@pytest.mark.parametrize("batch_labels", [250, 1])
async def test_labels_learnt_while_a_state_is_rebuilt_are_in_it(
    pool: asyncpg.Pool,
    store: RedisStore,
    redis_url: str,
    batch_labels: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few of them are added to the state; with many it is rebuilt again."""
    monkeypatch.setattr(label_feed, "BATCH_LABELS", batch_labels)
    batch = payments(60, seed=13, duplicate=0.0, days=5)
    await insert(pool, batch)
    await store.cursor()

    class Slow(PostgresHistory):
        """A history during whose rebuilds labels arrive and are learnt."""

        rebuilt = 0

        @asynccontextmanager
        async def rebuild(self, *arguments: Any) -> AsyncIterator[Past]:
            async with super().rebuild(*arguments) as past:
                self.rebuilt += 1
                if self.rebuilt == 1:
                    await label_all(pool, batch, seed=3)
                    assert await drained(LabelFeed(pool, store)) > 64
                yield past

    source = Slow(pool)
    slow = RedisStore(RedisConnection(redis_url, 30_000), source, replay_ttl_s=600)
    await check(pool, batch, await look(slow, batch, "look"))
    # All kinds at once: some may have been done before the labels came.
    more = source.rebuilt - len(KEPT)
    assert more == 0 if batch_labels > 1 else 1 <= more <= len(KEPT)
    await slow.close()


async def test_what_is_known_tomorrow_is_not_learnt_today(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(5, seed=14, duplicate=0.0, days=1)
    await insert(pool, batch)
    feed = LabelFeed(pool, store)
    await store.cursor()
    tomorrow_ms = int((datetime.now(UTC) + SOON).timestamp() * 1000)
    await label(pool, batch, 0, True, tomorrow_ms, "forecast")
    assert await feed.step(datetime.now(UTC) + 2 * SOON) == 0  # PostgreSQL's clock decides
    await label(pool, batch, 1, True, batch.timestamp_ms[1], "analyst")
    assert await feed.step(datetime.now(UTC) - SOON) == 0  # and so does ours
    assert await feed.step(datetime.now(UTC) + SOON) == 1


async def test_a_label_waits_for_its_payment(
    pool: asyncpg.Pool,
    store: RedisStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = payments(4, seed=15, duplicate=0.0, days=1)
    feed = LabelFeed(pool, store)
    await store.cursor()
    await insert(pool, batch.slice(0, 1))
    for i in range(2):
        await label(pool, batch, i, True, batch.timestamp_ms[i], "analyst")
    assert await feed.step(datetime.now(UTC) + SOON) == 1
    assert await feed.step(datetime.now(UTC) + SOON) == 0
    await insert(pool, batch.slice(1, 2))
    assert await feed.step(datetime.now(UTC) + SOON) == 1
    monkeypatch.setattr(label_feed, "PAYMENT_WAIT", timedelta(0))
    await label(pool, batch, 2, True, batch.timestamp_ms[2], "analyst")  # never on record
    with caplog.at_level(logging.WARNING):
        assert await feed.step(datetime.now(UTC) + SOON) == 1
    assert "no payment on record" in caplog.text


async def test_a_label_from_beyond_its_reach_does_not_hold_up_the_feed(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(2, seed=16, duplicate=0.0, days=1)
    await insert(pool, batch)
    await look(store, batch, "warm")
    too_late = batch.timestamp_ms[0] + (REACH_DAYS + 1) * DAY_MS
    await label(pool, batch, 0, True, too_late, "archive")
    assert await LabelFeed(pool, store).step(datetime.now(UTC)) == 1
    assert not (await look(store, batch, "look"))["customer"].known.any()


async def test_labels_not_yet_committed_are_waited_for(
    pool: asyncpg.Pool, store: RedisStore
) -> None:
    batch = payments(2, seed=17, duplicate=0.0, days=1)
    await insert(pool, batch)
    feed = LabelFeed(pool, store)
    await store.cursor()
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
            " VALUES ('default', $1, true, $2, 'slow')",
            batch.transaction_id[0],
            at(batch.timestamp_ms[0]),
        )
        await label(pool, batch, 1, True, batch.timestamp_ms[1], "quick")  # later, and first here
        step = asyncio.create_task(feed.step(datetime.now(UTC) + SOON))
        await asyncio.sleep(0.2)
        assert not step.done()
        await transaction.commit()
        assert await step == 2


@pytest.mark.parametrize("seed", range(3))
async def test_a_cold_state_says_all_that_a_warm_one_does(
    pool: asyncpg.Pool, store: RedisStore, seed: int
) -> None:
    batch = payments(900, seed=seed, late=0.3, duplicate=0.0, days=130, customers=5)
    memory = MemoryStore()
    memory.observe(Events.of(batch))
    await insert(pool, batch)
    for known_ms, i, fraud, _ in label_rows(batch, seed):
        await label(pool, batch, i, fraud, known_ms, "analyst")
    memory.learn_now(labels_of(batch, seed))
    asked = replace(
        batch.slice(700, 900),
        transaction_id=[f"ask{i}" for i in range(200)],
    )
    events = Events.of(asked)
    warm = aggregates_of(memory.observe(events).reading(events))
    cold = aggregates_of((await store.observe_and_fetch(events)).reading(events))
    assert warm.keys() == cold.keys()
    for role in warm:
        assert_same(warm[role], cold[role], role)


async def test_the_service_learns_labels_in_the_background_and_outlives_an_outage(
    pool: asyncpg.Pool, store: RedisStore, caplog: pytest.LogCaptureFixture
) -> None:
    batch = payments(10, seed=18, duplicate=0.0, days=1)
    await insert(pool, batch)
    service = FeatureService(store, feed=LabelFeed(pool, store))
    first = await store.cursor()
    with caplog.at_level(logging.WARNING):
        healthy = relink(store, RedisConnection("redis://127.0.0.1:1", 200))
        service.feed_labels(0.01, lambda: datetime.now(UTC) + SOON)
        await until(lambda: "the label feed fails" in caplog.text)
        await label_all(pool, batch, seed=6)
        await asyncio.sleep(0.1)
        gone = relink(store, healthy)
        await until(lambda: "the label feed works again" in caplog.text)
    assert caplog.text.count("the label feed fails") == 1
    await drained(LabelFeed(pool, store))  # the service may be half way
    assert await store.cursor() > first
    await check(pool, batch, await look(store, batch, "look"))
    await gone.close()
    await service.close()


def test_every_entity_with_labels_is_taught() -> None:
    assert {e.name for e in KEPT if "labels" in e.groups} == {e.name for e in ENTITIES}
