"""Reads that go through all that a tenant has, and do not depend on luck."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stores.postgres.connect import connect

_SETTINGS = (
    # The whole result is read, so the plan for the whole result is the right one.
    "SET LOCAL cursor_tuple_fraction = 1.0",
    # Of a tenant without statistics the planner expects one row, and joins two tables by going
    # through the one for each row of the other: hours, where sorting or hashing both takes seconds.
    "SET LOCAL enable_nestloop = off",
)


@asynccontextmanager
async def bulk_read(database_url: str) -> AsyncIterator[Any]:
    """A connection in a transaction of one snapshot, in which tables are joined as wholes: by
    hashing or sorting both, whatever the statistics say, or whether there are any.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    connection = await connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute("; ".join(_SETTINGS))
            yield connection
    finally:
        await connection.close()
