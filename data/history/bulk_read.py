"""Reads of all rows of a tenant, with a plan that does not depend on statistics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stores.postgres.connect import connection

_SETTINGS = (
    # The whole result is read, so the plan for the whole result is the right one.
    "SET LOCAL cursor_tuple_fraction = 1.0",
    # For a tenant without statistics the planner expects one row and chooses a nested loop, which
    # takes hours where a hash or merge join takes seconds.
    "SET LOCAL enable_nestloop = off",
)


@asynccontextmanager
async def bulk_read(database_url: str) -> AsyncIterator[Any]:
    """Open a connection in a read-only transaction of one snapshot, without nested loop joins.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with (
        connection(database_url) as session,
        session.transaction(isolation="repeatable_read", readonly=True),
    ):
        await session.execute("; ".join(_SETTINGS))
        yield session
