"""What served decisions saw, and what was on record at the time, in the order of arrival."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from data.history.bulk_read import bulk_read
from data.history.label_history import LabelHistory, stream_labels
from fraud.payment.batch import Int64, TransactionBatch
from fraud.payment.transaction import Transaction
from stores.statements import statement

ROWS_PER_PART = 4096
Bools = NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REACH = timedelta(days=61)
"""What happened longer ago is not visible to a payment (`features.state.windows.HORIZON_MS`)."""

_decode = msgspec.json.Decoder(Transaction).decode


@dataclass(frozen=True, slots=True)
class ServedPart:
    """n decisions in the order in which they were made.

    Attributes:
        decision_id: n ids.
        at_ms: int64[n], rising: when each was made.
        batch: what was decided on.
        schema_id: which features each saw.
        degraded: why each was poorer than it should be, () if it was not.
        features: the values each saw, float32 little-endian in the order of its schema.
        retry: bool[n]: its payment had been decided on before.
        as_before: bool[n]: a retry that saw what the first decision on the payment saw.
    """

    decision_id: list[str]
    at_ms: Int64
    batch: TransactionBatch
    schema_id: list[str]
    degraded: list[tuple[str, ...]]
    features: list[bytes]
    retry: Bools
    as_before: Bools

    def __len__(self) -> int:
        return len(self.decision_id)


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """n payments that came on record without a decision. `at_ms`: int64[n], rising: when."""

    batch: TransactionBatch
    at_ms: Int64

    def slice(self, start: int, stop: int) -> LoadedPart:
        """Payments start .. stop-1."""
        return LoadedPart(self.batch.slice(start, stop), self.at_ms[start:stop])


@dataclass(frozen=True, slots=True)
class Window:
    """Which decisions are looked at.

    Attributes:
        first_at: when the first of them was made.
        oldest_payment: when the oldest of their payments happened.
        decisions: how many there are, at least.
    """

    first_at: datetime
    oldest_payment: datetime
    decisions: int


class ServedHistory:
    """One snapshot of a tenant's decisions, payments and labels, streamed."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str, tenant: str) -> AsyncIterator[ServedHistory]:
        """A snapshot, until the block ends.

        Raises:
            OSError, asyncpg.PostgresError: the database does not answer.
        """
        async with bulk_read(database_url) as connection:
            yield cls(connection, tenant)

    async def window(self, since: datetime | None, limit: int | None) -> Window | None:
        """The newest `limit` decisions made at `since` or later; None if there are none."""
        row = await self._connection.fetchrow(
            statement("decision_log/readers/sql/served_window.sql"),
            self._tenant,
            since or _EPOCH,
            limit,
        )
        if not row["decisions"]:
            return None
        return Window(row["first_at"], row["oldest_payment"], row["decisions"])

    async def decisions(self, window: Window) -> AsyncIterator[ServedPart]:
        """The decisions of a window, part by part."""
        async for rows in self._rows("served_decisions", window.first_at):
            yield _served(self._tenant, rows)

    async def before(self, window: Window) -> AsyncIterator[TransactionBatch]:
        """Payments that were on record before a window and are visible in it."""
        reach = window.oldest_payment - _REACH
        async for rows in self._rows("payments_before", window.first_at, reach):
            yield _batch(self._tenant, rows)

    async def loaded(self, window: Window) -> AsyncIterator[LoadedPart]:
        """Payments that came on record during a window without a decision."""
        async for rows in self._rows("payments_loaded", window.first_at):
            received = np.array([row["received_ms"] for row in rows], np.int64)
            yield LoadedPart(_batch(self._tenant, rows, skip=1), received)

    async def labels(self) -> AsyncIterator[LabelHistory]:
        """All label events in the order in which the serving path could know them."""
        async for part in stream_labels(self._connection, self._tenant):
            yield part

    async def _rows(self, name: str, *arguments: Any) -> AsyncIterator[Sequence[Any]]:
        cursor = await self._connection.cursor(
            statement(f"decision_log/readers/sql/{name}.sql"), self._tenant, *arguments
        )
        while rows := await cursor.fetch(ROWS_PER_PART):
            yield rows


def _served(tenant: str, rows: Sequence[Any]) -> ServedPart:
    return ServedPart(
        decision_id=[row["decision_id"] for row in rows],
        at_ms=np.array([row["decided_ms"] for row in rows], np.int64),
        batch=TransactionBatch.of(tenant, (_decode(row["payment"]) for row in rows)),
        schema_id=[row["schema_id"] for row in rows],
        degraded=[tuple(row["degraded"]) for row in rows],
        features=[row["features"] for row in rows],
        retry=np.array([row["retry"] for row in rows], np.bool_),
        as_before=np.array([row["as_before"] for row in rows], np.bool_),
    )


def _batch(tenant: str, rows: Sequence[Any], skip: int = 0) -> TransactionBatch:
    """Rows whose columns are those of a transaction, and `skip` others behind them."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return TransactionBatch([tenant] * len(rows), *columns[: len(columns) - skip])
