"""Real payments, their labels arriving among them: served from Redis and backfilled from the file,
equal bit for bit, 100,000 rows of each set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from data.load.payment_reader import read_payments
from features.assemble import assemble
from features.backfill import backfill, joined
from features.definitions import NAMES
from features.state.entities import Entity
from features.state.events import Events, Key
from features.state.labels import LabelEvents
from features.state.state import empty
from features.store.interface import Cursor, Observation, Past
from features.store.redis import RedisStore
from fraud.payment.batch import Float32, Int64, TransactionBatch
from stores.redis.connection import RedisConnection

DATA = Path("../shared/data")
ROWS, MICRO_BATCH = 100_000, 500


class NoHistory:
    """An empty system of record."""

    def __init__(self) -> None:
        self.states: list[bytes] = []

    @asynccontextmanager
    async def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key], until: Cursor
    ) -> AsyncIterator[Past]:
        nothing = NoHistory()
        nothing.states = [empty(entity)] * len(keys)
        yield nothing

    async def on_record(self, transactions: Iterable[Key]) -> set[Key]:
        return set()

    async def first_features(
        self, transactions: Sequence[Key], within: timedelta
    ) -> list[bytes | None]:
        return [None] * len(transactions)

    async def newest(self) -> Cursor:
        return (0, 0)


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisStore]:
    link = RedisConnection(redis_url, timeout_ms=20_000)
    await link.call("FLUSHALL")
    store = RedisStore(link, NoHistory(), replay_ttl_s=600)
    yield store
    await link.call("FLUSHALL")
    await store.close()


def cuts(timestamp_ms: Int64) -> Int64:
    """Where micro-batches begin: about `MICRO_BATCH` rows each, never splitting rows of one
    moment."""
    rises = np.flatnonzero(np.diff(timestamp_ms) > 0) + 1
    wanted = np.arange(MICRO_BATCH, len(timestamp_ms), MICRO_BATCH)
    places = np.minimum(np.searchsorted(rises, wanted), len(rises) - 1)
    return np.unique(np.concatenate([[0], rises[places]]))


def arriving(labels: LabelEvents, moments: Int64) -> LabelEvents:
    """The same labels, known only at the next of `moments`, between two micro-batches."""
    known = np.array(labels.known_at_ms, np.int64)
    next_one = np.searchsorted(moments, known, side="left")
    kept = np.flatnonzero(next_one < len(moments))
    return replace(labels.take(kept.tolist()), known_at_ms=moments[next_one[kept]].tolist())


@pytest.mark.parametrize(
    ("layout", "file"),
    [
        ("handbook", "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet"),
        ("sparkov", "sparkov_gen_A_kaggle_layout/transactions.parquet"),
    ],
)
@pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not in ../shared/data")
async def test_served_features_are_those_of_the_replay(
    store: RedisStore, layout: str, file: str
) -> None:
    payments = read_payments(DATA / file, layout, limit=ROWS)
    batch = next(payments.batches(rows=ROWS))
    starts = cuts(payments.timestamp_ms)
    moments = payments.timestamp_ms[starts]
    labels = arriving(joined(list(payments.label_events())), moments)
    offline = np.concatenate([part.values for part in backfill([batch], [labels])])

    first = np.searchsorted(labels.known_at_ms, moments, side="right")
    learnt = 0
    checking: set[asyncio.Task[None]] = set()
    for n, start in enumerate(starts.tolist()):
        if first[n] > learnt:
            await store.learn(labels.slice(learnt, int(first[n])))
            learnt = int(first[n])
        part = batch.slice(start, int(starts[n + 1]) if n + 1 < len(starts) else len(batch))
        events = Events.of(part)
        observation = await store.observe_and_fetch(events)
        await asyncio.gather(*checking)  # one behind: Redis goes on meanwhile
        expected = offline[start : start + len(part)]
        checking = {asyncio.create_task(same(part, events, observation, expected))}
    await asyncio.gather(*checking)
    assert len(offline) > 0.99 * ROWS
    assert learnt > 0.2 * ROWS
    known, risk = (offline[:, NAMES.index(f"merchant_{what}_30d")] for what in ("known", "risk"))
    assert np.count_nonzero(known > 0) > 10_000  # labels that came were seen
    assert np.count_nonzero(risk > 0) > 20


async def same(
    batch: TransactionBatch, events: Events, observation: Observation, offline: Float32
) -> None:
    """Assert that served and backfilled features are equal."""
    online = (await asyncio.to_thread(assemble, batch, events, observation)).values
    equal = (online.view("<u4") == offline.view("<u4")).all(axis=0)
    assert equal.all(), [name for name, one in zip(NAMES, equal, strict=True) if not one]
