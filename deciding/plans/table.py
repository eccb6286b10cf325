"""Plans in PostgreSQL: a new one becomes the active one, or nothing changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

from fraud.errors import NotFound
from fraud.plan import Plan
from settings.settings import Settings
from stores.postgres.connect import connect
from stores.statements import statement


async def activate_plan(database_url: str, plan: Plan) -> Plan:
    """Store a plan as the newest version of its name and make it the only active one, in one
    transaction.

    Returns:
        The plan with the version that it was given.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    connection = await connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(statement("deciding/plans/sql/lock_plans.sql"))
            version = await connection.fetchval(
                statement("deciding/plans/sql/next_plan_version.sql"), plan.name
            )
            stored = replace(plan, version=version)
            await connection.execute(statement("deciding/plans/sql/deactivate_plans.sql"))
            await connection.execute(
                statement("deciding/plans/sql/insert_plan.sql"),
                stored.name,
                version,
                stored.to_json(),
            )
    finally:
        await connection.close()
    return stored


async def active_plan(database_url: str) -> Plan | None:
    """The plan that decides now, None if none does.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    connection = await connect(database_url)
    try:
        document: str | None = await connection.fetchval(
            statement("deciding/plans/sql/active_document.sql")
        )
    finally:
        await connection.close()
    return None if document is None else Plan.from_document(json.loads(document))


async def reactivate_plan(database_url: str, name: str, version: int) -> None:
    """Let a stored plan decide again, or change nothing.

    Raises:
        NotFound: there is no such plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    connection = await connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(statement("deciding/plans/sql/lock_plans.sql"))
            await connection.execute(statement("deciding/plans/sql/deactivate_plans.sql"))
            if (
                await connection.fetchval(
                    statement("deciding/plans/sql/activate_plan.sql"), name, version
                )
                is None
            ):
                raise NotFound(f"there is no plan {name} v{version} to go back to")
    finally:
        await connection.close()


def active_of(settings: Settings) -> Plan | None:
    """The plan that is active now; None without a database, or a plan. Blocks."""
    url = settings.database_url
    return None if url is None else asyncio.run(active_plan(url.get_secret_value()))


def activation(database_url: str) -> Callable[[Plan], Plan]:
    """Stores a plan as the active one; see `activate_plan`. Blocks."""
    return lambda plan: asyncio.run(activate_plan(database_url, plan))
