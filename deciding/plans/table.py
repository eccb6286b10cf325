"""The table `plans` in PostgreSQL: every version of every plan, at most one of them active."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol

import asyncpg

from fraud.errors import InvalidInput, NotFound
from fraud.plan import Plan
from settings.settings import Settings
from stores.postgres.connect import connection
from stores.statements import statement


class Source(Protocol):
    """A connection to PostgreSQL, or a pool of them."""

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None:
        """Return the first row of a query."""
        ...


async def active_row(source: Source) -> asyncpg.Record | None:
    """Return `document` (JSON text), `name`, `version`, `kind` and `created_at` of the active plan,
    None if no plan is active."""
    return await source.fetchrow(_sql("active_plan"))


async def read_active(source: Source) -> Plan | None:
    """Return the active plan, None if no plan is active.

    Raises:
        ValueError: its document is not a plan.
    """
    row = await active_row(source)
    try:
        return None if row is None else Plan.from_document(json.loads(row["document"]))
    except InvalidInput as error:
        raise ValueError(f"the active plan is not a plan: {error}") from error


async def active_plan(database_url: str) -> Plan | None:
    """Return the active plan, None if no plan is active.

    Raises:
        ValueError: its document is not a plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with connection(database_url) as session:
        return await read_active(session)


async def activate_plan(database_url: str, plan: Plan) -> Plan:
    """Store a plan as the newest version of its name and make it the active one, or change nothing.

    Returns:
        The plan with the version that it was given.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with _exchange(database_url) as session:
        version = await session.fetchval(_sql("next_plan_version"), plan.name)
        stored = replace(plan, version=version)
        await session.execute(_sql("insert_plan"), plan.name, version, stored.to_json())
    return stored


async def reactivate_plan(database_url: str, name: str, version: int) -> None:
    """Make a stored plan the active one, or change nothing.

    Raises:
        NotFound: there is no such plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with _exchange(database_url) as session:
        if await session.fetchval(_sql("activate_plan"), name, version) is None:
            raise NotFound(f"there is no plan {name} v{version} to go back to")


def active_of(settings: Settings) -> Plan | None:
    """Return the active plan; None if no database is set, or no plan is active. Blocks."""
    url = settings.database_url
    return None if url is None else asyncio.run(active_plan(url.get_secret_value()))


def activation(database_url: str) -> Callable[[Plan], Plan]:
    """Return a blocking `activate_plan` on this database."""
    return lambda plan: asyncio.run(activate_plan(database_url, plan))


@asynccontextmanager
async def _exchange(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of the only writer, in which no plan is active."""
    async with connection(database_url) as session, session.transaction():
        await session.execute(_sql("lock_plans"))
        await session.execute(_sql("deactivate_plans"))
        yield session


def _sql(name: str) -> str:
    return statement(f"deciding/plans/sql/{name}.sql")
