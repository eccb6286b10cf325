"""Asking PostgreSQL from the front: its silence as the house's own error, a pause for what is still
on its way, ids as they may be asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from fraud.errors import StoreUnavailable
from stores.postgres.errors import DISCONNECTED

_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.33)
"""How long a fresh decision may take from the decision log to PostgreSQL before it is not found:
a second in all."""

RECENT_MS = 30_000
_MAX_MS = 4_102_444_800_000


@asynccontextmanager
async def asked() -> AsyncIterator[None]:
    """Raises StoreUnavailable where PostgreSQL does not answer."""
    try:
        yield
    except (*DISCONNECTED, asyncpg.PostgresError) as error:
        raise StoreUnavailable("PostgreSQL does not answer") from error


async def attempts(wait: bool) -> AsyncIterator[None]:
    """Once; with `wait`, again and again for a second, pauses between."""
    yield
    for pause_s in _PAUSES_S if wait else ():
        await asyncio.sleep(pause_s)
        yield


def uuid7(text: str) -> UUID | None:
    """The id, if it is a UUIDv7 in its usual form and of a time that a timestamp can hold."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    # UUID() takes hyphens anywhere, and digits of any script.
    usual = str(parsed) == text.lower() and parsed.version == 7
    return parsed if usual and made_ms(parsed) < _MAX_MS else None


def made_ms(decision_id: UUID) -> int:
    """When a decision was made, milliseconds since the epoch: the time part of its id."""
    return decision_id.int >> 80
