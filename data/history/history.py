"""The history of a tenant: payments in order, with the labels known at a given time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.history.bulk_read import bulk_read
from features.state.labels import REACH_DAYS, LabelEvents
from features.state.windows import DAY_MS
from fraud.payment.batch import COLUMNS, TRANSACTION_COLUMNS, Int64, TransactionBatch
from fraud.payment.limits import MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS
from stores.statements import statement

LABELLED = ("customer", "merchant", "device", "counterparty")
"""Entities whose state includes labels."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_N_COLUMNS = len(TRANSACTION_COLUMNS)
_ROWS_PER_FETCH = 20_000

# Ids repeat, since customers pay often: one object for each distinct value halves the memory.
_REPEATED = frozenset(range(1, _N_COLUMNS)) - {2, 3, 13, 14}


@dataclass(frozen=True, slots=True)
class History:
    """n payments in the order of (time, transaction id), and their labels.

    Attributes:
        batch: the payments, all of one tenant.
        label: int8[n]: 1 fraud, 0 genuine, -1 unknown at the requested time.
        known_at_ms: int64[n]: when the label became known, milliseconds since 1970; -1 where it is
            unknown. It lies before the payment only if a label was stored that way.
    """

    batch: TransactionBatch
    label: NDArray[np.int8]
    known_at_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.batch)

    def label_events(self) -> LabelEvents:
        """Return the labels in the order in which they became known, one a payment.

        A history does not have the labels that they corrected.
        """
        at_ms = np.array(self.batch.timestamp_ms, np.int64)
        places = order_by_known_at(at_ms, self.label, self.known_at_ms)
        hundredths = self.batch.amount_hundredths()[places]
        ids = {name: getattr(self.batch, f"{name}_id") for name in LABELLED}
        rows = places.tolist()
        return LabelEvents(
            tenant=[self.batch.tenant[i] for i in rows],
            known_at_ms=self.known_at_ms[places].tolist(),
            fraud=(self.label[places] == 1).tolist(),
            hundredths=hundredths.tolist(),
            ids={name: [column[i] for i in rows] for name, column in ids.items()},
            previous=[None] * len(rows),
        )


def order_by_known_at(at_ms: Int64, label: NDArray[np.int8], known_at_ms: Int64) -> Int64:
    """Return the rows whose labels count (`features.state.labels.counts`), in the order in which
    the labels became known. Equal times keep the order of rows."""
    reach_ms = REACH_DAYS * DAY_MS
    counted = (label >= 0) & (known_at_ms > 0) & (known_at_ms - at_ms <= reach_ms)
    rows = np.flatnonzero(counted)
    ordered: Int64 = rows[np.argsort(known_at_ms[rows], kind="stable")]
    return ordered


async def read_history(
    database_url: str,
    tenant: str,
    *,
    as_of_ms: int | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> History:
    """Read all payments of a tenant in [since, until), at about 700 bytes a row.

    Args:
        as_of_ms: take only labels known by then, the newest of each payment; None: all. It does
            not limit the payments: `until_ms` does.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    labels, known = [np.empty(0, np.int8)], [np.empty(0, np.int64)]
    async for part in stream_history(
        database_url, tenant, as_of_ms=as_of_ms, since_ms=since_ms, until_ms=until_ms
    ):
        for name, values in columns.items():
            values.extend(getattr(part.batch, name))
        labels.append(part.label)
        known.append(part.known_at_ms)
    return History(TransactionBatch(**columns), np.concatenate(labels), np.concatenate(known))


async def stream_history(
    database_url: str,
    tenant: str,
    *,
    as_of_ms: int | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    rows_per_part: int = _ROWS_PER_FETCH,
) -> AsyncIterator[History]:
    """Read the same as `read_history` in parts of at most `rows_per_part` rows, in order.

    All parts are of one snapshot: payments that arrive during the read are not included.
    """
    bounds = (
        _moment(as_of_ms, 2 * MAX_TIMESTAMP_MS),
        _moment(since_ms, MIN_TIMESTAMP_MS),
        _moment(until_ms, MAX_TIMESTAMP_MS),
    )
    memo: dict[str, str] = {}
    async with bulk_read(database_url) as connection:
        cursor = await connection.cursor(statement("data/history/sql/history.sql"), tenant, *bounds)
        while rows := await cursor.fetch(rows_per_part):
            yield _part(tenant, rows, memo)


def _moment(at_ms: int | None, default_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=default_ms if at_ms is None else at_ms)


def _part(tenant: str, rows: Sequence[Any], memo: dict[str, str]) -> History:
    columns = [list(column) for column in zip(*rows, strict=True)]
    for i in _REPEATED:
        columns[i] = [None if v is None else memo.setdefault(v, v) for v in columns[i]]
    label, known = columns[_N_COLUMNS], columns[_N_COLUMNS + 1]
    return History(
        TransactionBatch([tenant] * len(rows), *columns[:_N_COLUMNS]),
        np.array([-1 if v is None else int(v) for v in label], dtype=np.int8),
        np.array([-1 if v is None else v for v in known], dtype=np.int64),
    )
