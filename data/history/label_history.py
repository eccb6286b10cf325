"""All labels of a tenant as events, in the order in which the serving path could know them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.history.history import LABELLED
from features.state.labels import REACH_DAYS, LabelEvents
from fraud.payment.batch import Int64
from stores.statements import statement

_ROWS_PER_FETCH = 20_000


@dataclass(frozen=True, slots=True)
class LabelHistory:
    """n label events.

    Attributes:
        at_ms: int64[n], ascending: when each was both known and on record
            (`labels.effective_at`).
    """

    events: LabelEvents
    at_ms: Int64

    def slice(self, start: int, stop: int) -> LabelHistory:
        """Return the events start .. stop-1."""
        return LabelHistory(self.events.slice(start, stop), self.at_ms[start:stop])


async def stream_labels(connection: Any, tenant: str) -> AsyncIterator[LabelHistory]:
    """Read all label events of a tenant in parts, in the order of (effective_at, label id).

    Args:
        connection: a connection of asyncpg in a transaction.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    cursor = await connection.cursor(
        statement("data/history/sql/label_events.sql"), tenant, REACH_DAYS
    )
    while rows := await cursor.fetch(_ROWS_PER_FETCH):
        yield _part(tenant, rows)


def _part(tenant: str, rows: Sequence[Any]) -> LabelHistory:
    events = LabelEvents(
        tenant=[tenant] * len(rows),
        known_at_ms=[row["known_ms"] for row in rows],
        fraud=[row["is_fraud"] for row in rows],
        hundredths=[row["amount_hundredths"] for row in rows],
        ids={name: [row[f"{name}_id"] for row in rows] for name in LABELLED},
        previous=[
            None if row["former_ms"] is None else (row["former_ms"], row["former_fraud"])
            for row in rows
        ],
    )
    return LabelHistory(events, np.array([row["effective_ms"] for row in rows], np.int64))
