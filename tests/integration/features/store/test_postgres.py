"""Look-ups on a real PostgreSQL with two hundred months on record: each opens only a few of
them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from decision_log.shipping import postgres_sink
from features.service import FeatureService
from features.state.entities import KEPT, Entity
from features.state.windows import HORIZON_MS
from features.store.interface import NO_LABELS
from features.store.postgres import PostgresHistory
from features.store.span import Span
from fraud.payment.batch import TransactionBatch
from settings.settings import Settings
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.payments import DAY_MS, payments
from tests.integration.features.store.test_redis import insert

MONTHS = 200
MOST = 12
"""Months that a look-up may open, whatever is on record: labels reach back 212 days."""


@pytest.fixture(scope="module")
def months(database_url: str) -> str:
    """A database with that many months of payments and decisions."""
    asyncio.run(_make_months(database_url))
    return database_url


async def _make_months(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for table in ("transactions", "decisions"):
            for n in range(MONTHS):
                month = "SELECT ensure_month($1::text, now() - $2::int * interval '1 month')"
                await connection.execute(month, table, n)
    finally:
        await connection.close()


@pytest.fixture
async def pool(months: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(months, min_size=1, max_size=2) as pool:
        await pool.execute("TRUNCATE transactions, decisions, labels")
        yield pool


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def recent(n: int, seed: int, newest_ms: int | None = None) -> TransactionBatch:
    """Payments of the last 70 days, or of the 70 days before a moment."""
    batch = payments(n, seed=seed, duplicate=0.0, late=0.0)
    shift = (newest_ms or now_ms()) - max(batch.timestamp_ms)
    return replace(batch, timestamp_ms=[at + shift for at in batch.timestamp_ms])


def bounded(pool: asyncpg.Pool) -> PostgresHistory:
    late, early = timedelta(days=7), timedelta(minutes=5)
    return PostgresHistory(pool, lambda: Span.around(datetime.now(UTC), late, early))


async def opened(connection: Any, table: str = "transactions") -> int:
    """Partitions that this transaction has planned for or read: each is locked until its end."""
    found: int = await connection.fetchval(
        "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_inherits ON inhrelid = relation"
        " WHERE pid = pg_backend_pid() AND inhparent = $1::text::regclass",
        table,
    )
    return found


@pytest.mark.parametrize("entity", KEPT, ids=lambda entity: entity.name)
async def test_a_state_is_rebuilt_from_a_few_months(pool: asyncpg.Pool, entity: Entity) -> None:
    batch = recent(60, seed=1)
    await insert(pool, batch)
    keys = [("default", "c1"), ("default", "m1"), ("default", "d1")]
    for _ in range(8):  # the sixth time PostgreSQL makes a plan for good
        async with bounded(pool).rebuild(entity, keys, (), NO_LABELS) as past:
            asked = [("default", name) for name in (*batch.transaction_id[:5], "unknown")]
            assert await past.on_record(asked) == set(asked[:5])
            assert 1 <= await opened(past._connection) <= MOST  # type: ignore[attr-defined]


@pytest.mark.parametrize("entity", KEPT, ids=lambda entity: entity.name)
async def test_what_is_left_out_shows_in_no_state(pool: asyncpg.Pool, entity: Entity) -> None:
    """The same entities searched everywhere and within bounds, payments of years ago included: only
    the newest payment of each counts. No recent payment is older than the bounds: a state may
    still hold one that is, though no coming payment sees it."""
    batch = recent(300, seed=2)
    oldest_ms = now_ms() - HORIZON_MS
    batch = batch.take([i for i, at in enumerate(batch.timestamp_ms) if at > oldest_ms])
    old = replace(
        recent(300, seed=3, newest_ms=now_ms() - 400 * DAY_MS),
        transaction_id=[f"old{i}" for i in range(300)],
    )
    for part in (batch, old):
        await insert(pool, part)
    column = entity.column
    keys = sorted({("default", name) for name in getattr(batch, column) if name is not None})
    async with PostgresHistory(pool).rebuild(entity, keys, (), NO_LABELS) as everything:
        pass
    async with bounded(pool).rebuild(entity, keys, (), NO_LABELS) as within:
        pass
    assert within.states == everything.states


async def test_the_service_searches_so_far_back_as_payments_may_lie(
    months: str, redis_url: str
) -> None:
    settings = Settings(database_url=months, redis_url=redis_url, max_past_days=20)
    service = await FeatureService.connect(settings)
    try:
        span = service._store._history._bounds()  # type: ignore[attr-defined]
        late, early = timedelta(days=20), timedelta(seconds=settings.max_future_s)
        assert span == Span.around(datetime.now(UTC), late, early)
    finally:
        await service.close()


async def test_a_retry_is_looked_for_among_the_decisions_of_its_time(pool: asyncpg.Pool) -> None:
    history = bounded(pool)
    async with pool.acquire() as connection, connection.transaction():

        class Same:
            """A pool of a single connection, so that its locks can be inspected."""

            def acquire(self) -> Any:
                return self

            async def __aenter__(self) -> Any:
                return connection

            async def __aexit__(self, *_: object) -> None:
                pass

        history._pool = Same()
        await history.first_features([("default", "t1")], timedelta(days=1))
        assert 1 <= await opened(connection, "decisions") <= 3


async def test_a_batch_is_shipped_into_the_months_of_its_time(months: str) -> None:
    ships = postgres_sink.PostgresSink(months)
    try:
        for n in range(7):
            await ships.insert(gathered(decision_records(2, f"before{n}-", at_ms=now_ms())))
        connection = ships._session
        batches = gathered(decision_records(5, "ship", at_ms=now_ms()))
        async with connection.transaction():
            arguments = await postgres_sink._arguments(batches)
            await ships._ship(
                connection, postgres_sink._within(postgres_sink._SHIP, batches), arguments
            )
            assert 1 <= await opened(connection) <= 6
    finally:
        await ships.close()
