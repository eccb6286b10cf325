"""Features from real stores and labels from the feed: the check finds no skew."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg

from decision_log.shipping.postgres_sink import PostgresSink
from features.label_feed import LabelFeed
from features.service import FeatureService
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.payment.batch import TRANSACTION_COLUMNS, TransactionBatch
from fraud.record import records
from stores.redis.connection import RedisConnection
from tests.contracts.decisions import PLAN, decided
from tests.contracts.payments import payments
from training.monitor.skew import check_served

TENANT = "served"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000


def ending(batch: TransactionBatch, last_ms: int, step_ms: int) -> TransactionBatch:
    first_ms = last_ms - step_ms * (len(batch) - 1)
    return replace(batch, timestamp_ms=[first_ms + i * step_ms for i in range(len(batch))])


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def load(pool: asyncpg.Pool, batch: TransactionBatch) -> None:
    columns = [c for c in TRANSACTION_COLUMNS if c != "timestamp_ms"]
    amounts = batch.amount_hundredths().tolist()
    rows = [
        (
            TENANT,
            EPOCH + timedelta(milliseconds=batch.timestamp_ms[i]),
            amounts[i],
            *(getattr(batch, column)[i] for column in columns),
        )
        for i in range(len(batch))
    ]
    into = ["tenant", "occurred_at", "amount_hundredths", *columns]
    await pool.copy_records_to_table("transactions", records=rows, columns=into)


async def label(pool: asyncpg.Pool, transactions: list[str], fraud: bool) -> None:
    await pool.executemany(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " VALUES ($1, $2, $3, clock_timestamp(), 'analyst')",
        [(TENANT, transaction, fraud) for transaction in transactions],
    )


async def test_features_from_the_stores_equal_those_of_the_record(
    database_url: str, redis_url: str
) -> None:
    history, served = (
        payments(n, seed=n, customers=12, late=0.0, duplicate=0.0, tenant=TENANT, prefix=f"p{n}-")
        for n in (300, 400)
    )
    sink = PostgresSink(database_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        store = RedisStore(
            RedisConnection(redis_url, 30_000), PostgresHistory(pool), replay_ttl_s=600
        )
        service, feed = FeatureService(store), LabelFeed(pool, store)
        await load(pool, ending(history, now_ms() - HOUR_MS, HOUR_MS))
        await label(pool, history.transaction_id[::3], fraud=True)  # before anything is served
        for n, start in enumerate(range(0, len(served), 40)):
            part = ending(served.slice(start, start + 40), now_ms(), 1)
            features = await service.fetch(part)
            assert not any(features.degraded)
            _, decisions = decided(part, at_ms=now_ms())
            decisions = replace(decisions, degraded=[()] * len(decisions))
            await sink.insert([records(part, features, decisions, PLAN)])
            # Some are corrected by the next micro-batch but one.
            for back, fraud in ((0, n % 2 == 0), (2, n % 2 == 1)):
                if n >= back:
                    rows = served.transaction_id[start - 40 * back : start - 40 * back + 40 : 4]
                    await label(pool, rows, fraud)
            while await feed.step(datetime.now(UTC)):
                pass
            if n == 5:  # Redis loses everything: states are rebuilt, labels included
                await store._redis.call("FLUSHDB")
        await service.close()
    await sink.close()
    report = await check_served(database_url, TENANT)
    assert [f.name for f in report.features] == []
    assert (report.checked, report.differ, report.retries) == (400, 0, 0)
    assert report.labels > 100 + 100
