"""Past decisions with what was on record at the time, in the order in which they were made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from data.history.bulk_read import bulk_read
from data.history.label_history import LabelHistory, stream_labels
from features.store.span import HORIZON
from fraud.payment.batch import Int64, TransactionBatch
from fraud.payment.transaction import Transaction
from stores.statements import statement

ROWS_PER_PART = 4096
Bools = NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_decode = msgspec.json.Decoder(Transaction).decode


@dataclass(frozen=True, slots=True)
class DecisionPart:
    """n decisions in the order in which they were made.

    Attributes:
        decision_id: n ids.
        at_ms: int64[n], rising: when each was made.
        batch: the payments.
        schema_id: schema of each decision's features.
        degraded: why each is degraded, () if it is not.
        features: of each, float32 little-endian in the order of its schema.
        retry: bool[n], whether the payment has an earlier decision.
        as_before: bool[n], whether it is a retry with the same features as the first decision.
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
    """n payments that were recorded without a decision. `at_ms`: int64[n], rising: when."""

    batch: TransactionBatch
    at_ms: Int64

    def slice(self, start: int, stop: int) -> LoadedPart:
        """Return the payments start .. stop-1."""
        return LoadedPart(self.batch.slice(start, stop), self.at_ms[start:stop])


@dataclass(frozen=True, slots=True)
class Period:
    """The decisions to read.

    Attributes:
        first_at: when the first of them was made.
        oldest_payment: when the oldest of their payments happened.
        decisions: how many there are, at least.
    """

    first_at: datetime
    oldest_payment: datetime
    decisions: int


class DecisionHistory:
    """One snapshot of a tenant's decisions, payments and labels, streamed."""

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str, tenant: str) -> AsyncIterator[DecisionHistory]:
        """Open a snapshot until the block ends.

        Raises:
            OSError, asyncpg.PostgresError: the database does not answer.
        """
        async with bulk_read(database_url) as connection:
            yield cls(connection, tenant)

    async def period(self, since: datetime | None, limit: int | None) -> Period | None:
        """Return the period of the newest `limit` decisions since a time, None without any."""
        row = await self._connection.fetchrow(
            statement("decision_log/readers/sql/decision_period.sql"),
            self._tenant,
            since or _EPOCH,
            limit,
        )
        if not row["decisions"]:
            return None
        return Period(row["first_at"], row["oldest_payment"], row["decisions"])

    async def decisions(self, period: Period) -> AsyncIterator[DecisionPart]:
        """Yield the decisions of a period, part by part."""
        async for rows in self._rows("decision_history", period.first_at):
            yield _decisions(self._tenant, rows)

    async def before(self, period: Period) -> AsyncIterator[TransactionBatch]:
        """Payments recorded before a period that count in its features."""
        reach = period.oldest_payment - HORIZON
        async for rows in self._rows("payments_before", period.first_at, reach):
            yield _batch(self._tenant, rows)

    async def loaded(self, period: Period) -> AsyncIterator[LoadedPart]:
        """Payments recorded during a period without a decision."""
        async for rows in self._rows("payments_loaded", period.first_at):
            received = np.array([row["received_ms"] for row in rows], np.int64)
            yield LoadedPart(_batch(self._tenant, rows, skip=1), received)

    async def labels(self) -> AsyncIterator[LabelHistory]:
        """Yield all label events in the order in which the serving path could know them."""
        async for part in stream_labels(self._connection, self._tenant):
            yield part

    async def _rows(self, name: str, *arguments: Any) -> AsyncIterator[Sequence[Any]]:
        cursor = await self._connection.cursor(
            statement(f"decision_log/readers/sql/{name}.sql"), self._tenant, *arguments
        )
        while rows := await cursor.fetch(ROWS_PER_PART):
            yield rows


def _decisions(tenant: str, rows: Sequence[Any]) -> DecisionPart:
    return DecisionPart(
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
    """Return the batch of rows with the columns of a transaction and `skip` others after them."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return TransactionBatch([tenant] * len(rows), *columns[: len(columns) - skip])
