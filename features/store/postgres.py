"""The history in PostgreSQL, from which states and features are rebuilt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from features.definitions import SCHEMA_ID
from features.degraded import FEATURES_UNAVAILABLE, RETRY_IN_FLIGHT, TRANSACTION_REUSED
from features.first_features import pack_recorded
from features.state.entities import Entity
from features.state.events import Key
from features.state.labels import REACH_DAYS
from features.store.interface import Cursor, Past
from features.store.rebuild import rebuild_sql, states_of
from features.store.span import LABELLED_WITHIN, Span, day
from stores.postgres.errors import translate_outages
from stores.statements import statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_ID = 2**63 - 1
_BOUND = statement("features/store/sql/label_bound.sql")
_ON_RECORD = statement("features/store/sql/on_record.sql")
_FIRST = statement("features/store/sql/first_features.sql")
_REBUILD_S = 60.0
"""Enough for a merchant with a million payments; no request waits this long."""
_BOUND_WAIT = "SET LOCAL lock_timeout = '2s'"

REACH = timedelta(days=REACH_DAYS)
"""The longest time from a payment to a label that counts."""

Bounds = Callable[[], Span]
"""() -> the days between which to search now."""


def to_time(microseconds: int) -> datetime:
    """A moment from microseconds since the epoch."""
    return _EPOCH + microseconds * _MICROSECOND


def to_microseconds(at: datetime) -> int:
    """Microseconds since the epoch, exact."""
    return (at - _EPOCH) // _MICROSECOND


class _PostgresPast:
    """See `Past`: one database transaction on one snapshot."""

    def __init__(self, states: list[bytes], connection: Any, span: Span) -> None:
        self.states = states
        self._connection = connection
        self._span = span

    async def on_record(self, transactions: Iterable[Key]) -> set[Key]:
        """See `Past`."""
        columns = zip(*transactions, strict=True)
        async with translate_outages():
            query = _ON_RECORD.format(since=self._span.since, until=self._span.until)
            rows = await self._connection.fetch(query, *map(list, columns))
        return {(row["tenant"], row["id"]) for row in rows}


class PostgresHistory:
    """See `StateSource`. A rebuilt state reads the same as one that saw the events live.

    Args:
        pool: the primary: a lagging replica would leave labels out for good.
        bounds: the days between which payments are searched. The default searches everything, for
            payments of any time, and slows down with the months on record.
    """

    def __init__(self, pool: asyncpg.Pool, bounds: Bounds = Span.everything) -> None:
        self._pool = pool
        self._bounds = bounds

    @asynccontextmanager
    async def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key], until: Cursor
    ) -> AsyncIterator[Past]:
        """See `StateSource`."""
        tenants, ids = [list(column) for column in zip(*keys, strict=True)]
        left_out = list(without)
        arguments: list[Any] = [
            tenants,
            ids,
            [tenant for tenant, _ in left_out],
            [transaction for _, transaction in left_out],
        ]
        if "labels" in entity.groups:
            arguments += [to_time(until[0]), until[1], REACH, LABELLED_WITHIN]
        async with (
            translate_outages(),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            span = self._bounds()
            query = rebuild_sql(entity, span)
            rows = await connection.fetch(query, *arguments, timeout=_REBUILD_S)
            yield _PostgresPast(states_of(entity, len(keys), rows), connection, span)

    async def first_features(
        self, transactions: Sequence[Key], within: timedelta
    ) -> list[bytes | None]:
        """See `StateSource`."""
        found: list[bytes | None] = [None] * len(transactions)
        columns = map(list, zip(*transactions, strict=True))
        async with translate_outages(), self._pool.acquire() as connection:
            since = datetime.now(UTC) - within
            why = FEATURES_UNAVAILABLE, RETRY_IN_FLIGHT, TRANSACTION_REUSED
            query = _FIRST.format(since=day(since))
            rows = await connection.fetch(query, *columns, SCHEMA_ID, since, *why)
        for n, features, age_ms, degraded, *ids in rows:
            found[n] = pack_recorded(features, age_ms, ids, degraded)
        return found

    async def newest(self) -> Cursor:
        """See `StateSource`: PostgreSQL's clock at a moment without unfinished writes of labels."""
        async with (
            translate_outages(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute(_BOUND_WAIT)
            await connection.execute(_BOUND)
            now = await connection.fetchval("SELECT clock_timestamp()")
        return to_microseconds(now), _LAST_ID
