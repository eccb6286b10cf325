"""The feature fetch of the serving path: store, transform, and the answer without a store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

from features.assemble import assemble, rows_to_remember, without_history
from features.definitions import N_FEATURES, SCHEMA_ID
from features.degraded import RETRY_IN_FLIGHT
from features.label_feed import LabelFeed
from features.state.events import Events, Key
from features.state.journal import journal_of
from features.state.state import empty
from features.store.call import Call
from features.store.interface import FeatureStore, Observation
from features.store.postgres import Bounds, PostgresHistory
from features.store.redis import RedisStore
from features.store.span import Span
from fraud.errors import StoreUnavailable
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.stage import ASSEMBLE, REDIS
from settings.settings import Settings
from stores.poll import Poll
from stores.postgres.connect import open_pool
from stores.redis.connection import RedisConnection

_log = logging.getLogger(__name__)

_RETRY_WAITS_S = (0.002, 0.004, 0.008, 0.016, 0.032)
"""How long a retry that overtakes its first attempt waits for the features of that attempt."""


class FeatureService:
    """Features of micro-batches over one store.

    Args:
        store: of window state.
        pool: of PostgreSQL, if the service is to close it.
        feed: of labels into the store, if the service is to run it.
    """

    def __init__(
        self,
        store: FeatureStore,
        pool: asyncpg.Pool | None = None,
        feed: LabelFeed | None = None,
    ) -> None:
        self._store = store
        self._pool = pool
        self._feed = feed
        self._feeding: Poll | None = None
        self._background: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, settings: Settings) -> FeatureService:
        """Connect to the stores that `settings` names. PostgreSQL need not be up yet.

        Raises:
            ValueError: a URL is not set.
            SettingInvalid: a URL cannot be used.
        """
        if settings.redis_url is None or settings.database_url is None:
            raise ValueError("REDIS_URL and DATABASE_URL must be set")
        pool = await open_pool(
            settings.database_url.get_secret_value(),
            size=settings.database_pool_size,
            timeout_s=settings.database_timeout_s,
            name="quorum-features",
        )
        _warm_up()
        store = RedisStore(
            RedisConnection(settings.redis_url.get_secret_value(), settings.redis_timeout_ms),
            PostgresHistory(pool, _bounds(settings)),
            replay_ttl_s=settings.replay_ttl_s,
            rebuild_wait_ms=settings.rebuild_wait_ms,
        )
        return cls(store, pool, LabelFeed(pool, store))

    def feed_labels(self, every_s: float, clock: Callable[[], datetime]) -> None:
        """Learn labels in the background, until `close`; see `LabelFeed.poll`."""
        if self._feed is not None and self._feeding is None:
            self._feeding = self._feed.poll(every_s, clock)
            self._feeding.start()

    async def fetch(self, batch: TransactionBatch, patient: bool = True) -> FeatureBatch:
        """Observe n transactions and return their features; never raises for a dead store.

        The features of a row do not include the row itself. `degraded` of the result names what
        each row lacks, see `features/degraded.py`. `stage_ms` has `redis`, including the wait for
        states that are rebuilt, and `assemble`.

        Args:
            batch: n transactions.
            patient: rows of entities that Redis does not know wait until their state is rebuilt;
                otherwise they are left out: see `FeatureBatch.pending`.
        """
        began = time.perf_counter()
        events = Events.of(batch)
        try:
            observation = await self._store.observe_and_fetch(events, patient)
            if observation.pending:
                left = set(observation.pending)
                rows = [i for i in range(len(batch)) if i not in left]
                if not rows:
                    return _no_rows(observation.pending)
                batch, events = batch.take(rows), events.take(rows)
            if observation.repeated:
                observation = await self._settle(events, observation)
        except StoreUnavailable as error:
            _log.warning("no window state: %s", error)
            return without_history(batch)
        seen = time.perf_counter()
        features = assemble(batch, events, observation)
        self._remember(observation.receipt, *rows_to_remember(events, observation, features))
        features.pending = observation.pending
        features.stage_ms[REDIS] = round((seen - began) * 1e3, 3)
        features.stage_ms[ASSEMBLE] = round((time.perf_counter() - seen) * 1e3, 3)
        return features

    async def _settle(self, events: Events, observation: Observation) -> Observation:
        """Fill in features that other attempts at the same transactions have computed meanwhile."""
        repeats = events.first_of()
        pending = [i for i in sorted(observation.repeated) if i not in repeats]
        recorded = dict(observation.recorded)
        for wait_s in _RETRY_WAITS_S:
            if not pending:
                break
            await asyncio.sleep(wait_s)
            try:
                found = await self._store.recorded([events.transaction[i] for i in pending])
            except StoreUnavailable as error:  # the other rows have all they need
                _log.warning(
                    "%d retries do not wait for their first attempt: %s", len(pending), error
                )
                break
            recorded |= {i: row for i, row in zip(pending, found, strict=True) if row}
            pending = [i for i in pending if i not in recorded]
        degraded = dict(observation.degraded)
        for i in pending:
            degraded[i] = (*degraded.get(i, ()), RETRY_IN_FLIGHT)
        repeated = observation.repeated - recorded.keys()
        return replace(observation, recorded=recorded, repeated=repeated, degraded=degraded)

    def _remember(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        """Keep features for retries, in the background: the answer does not wait for it."""
        if transactions:
            task = asyncio.create_task(self._remember_now(receipt, transactions, rows))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _remember_now(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        try:
            await self._store.remember(receipt, transactions, rows)
        except StoreUnavailable as error:
            _log.warning("features of %d transactions are not kept: %s", len(transactions), error)

    def missed(self, batch: TransactionBatch, ago_s: float) -> None:
        """Add transactions that were decided `ago_s` before now without `fetch`, or before it
        answered."""
        self._store.missed(Events.of(batch), ago_s)

    async def ready(self) -> None:
        """Raise StoreUnavailable unless window state can be read and written now."""
        if isinstance(self._store, RedisStore):
            await self._store.ready()

    async def close(self) -> None:
        """Finish work under way and close all connections."""
        if self._feeding is not None:
            await self._feeding.close()
        if self._background:
            await asyncio.gather(*self._background)
        if isinstance(self._store, RedisStore):
            await self._store.close()
        if self._pool is not None:
            await self._pool.close()


def _bounds(settings: Settings) -> Bounds:
    """The bounds for payments that arrive as late, or as early, as the settings allow."""
    late, early = timedelta(days=settings.max_past_days), timedelta(seconds=settings.max_future_s)
    return lambda: Span.around(datetime.now(UTC), late, early)


def _warm_up() -> None:
    """Compute the features of a payment with all fields, without a store, so that compiled code is
    in place before the first request."""
    payment = Transaction(
        *("rehearsal", "customer", 0, 1, "USD", "transfer", "merchant", "category", "counterparty"),
        *("device", None, None, None, 0.0, 0.0),
    )
    batch = TransactionBatch.of("rehearsal", [payment])
    events = Events.of(batch)
    call = Call(events)
    keys, _, _ = call.arguments(frozenset())
    call.journals = [journal_of(empty(entity)) for entity, _ in call.entities(range(len(keys) - 1))]
    observation, _ = call.observation()
    assemble(batch, events, observation)


def _no_rows(pending: tuple[int, ...]) -> FeatureBatch:
    values = np.empty((0, N_FEATURES), dtype=np.float32)
    return FeatureBatch(values, SCHEMA_ID, np.empty(0, dtype=np.int64), pending=pending)
