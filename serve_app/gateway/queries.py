"""Queries of the gateway to PostgreSQL: error translation, waiting for fresh rows, decision ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from fraud.errors import StoreUnavailable
from fraud.payment.limits import MAX_TIMESTAMP_MS
from stores.postgres.errors import DISCONNECTED

_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.33)
"""Pauses between attempts to find a fresh decision: the decision log has a second in all to ship
it to PostgreSQL."""

RECENT_MS = 30_000
"""A decision younger than this may still be on its way to PostgreSQL."""

_SLACK = timedelta(milliseconds=1)


@asynccontextmanager
async def store_errors() -> AsyncIterator[None]:
    """Raise StoreUnavailable where PostgreSQL does not answer."""
    try:
        yield
    except (*DISCONNECTED, asyncpg.PostgresError) as error:
        raise StoreUnavailable("PostgreSQL does not answer") from error


async def attempts(wait: bool) -> AsyncIterator[None]:
    """Yield once or, with `wait`, repeatedly for a second with pauses between."""
    yield
    for pause_s in _PAUSES_S if wait else ():
        await asyncio.sleep(pause_s)
        yield


def parse_decision_id(text: str) -> UUID | None:
    """Return the id if it is a UUIDv7 in its usual form with a time that fits a timestamp."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    # UUID() accepts hyphens anywhere, and digits of any script.
    is_canonical = str(parsed) == text.lower() and parsed.version == 7
    return parsed if is_canonical and decided_ms(parsed) < MAX_TIMESTAMP_MS else None


def decided_ms(decision_id: UUID) -> int:
    """Return when a decision was made, milliseconds since the epoch: the time part of its id."""
    return decision_id.int >> 80


def decided_between(ids: Collection[UUID]) -> tuple[datetime, datetime]:
    """Return a lower and an upper bound on when some decisions were made, taken from their ids."""
    times = [utc(decided_ms(decision_id)) for decision_id in ids]
    return min(times) - _SLACK, max(times) + _SLACK


def utc(ms: int) -> datetime:
    """Return milliseconds since the epoch as a datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)
