"""The plan that decides, by the address of a database: for training, promotion and the command
line, each of which opens a connection for one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from deciding.plans.activations import activate
from deciding.plans.versions import PlanId, only_writer, read_active, store
from fraud.plan import Plan
from fraud.variant import HOUSE
from settings.settings import Settings
from stores.postgres.connect import connection

TRAINING = "training"
"""Author of plans that a training made."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of a plan that a training made.

    Attributes:
        plan: with the version under which it is stored.
        decides: it is active now.
        active: what decides instead, if `decides` is false.
    """

    plan: Plan
    decides: bool
    active: PlanId | None = None


async def active_plan(database_url: str, owner: str = HOUSE) -> Plan | None:
    """Return the active plan of an owner, None if it has none of its own.

    Raises:
        InvalidInput: its document is not a plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with connection(database_url) as session:
        found = await read_active(session, owner)
    return None if found is None else found.plan()


async def activate_plan(
    database_url: str,
    plan: Plan,
    owner: str = HOUSE,
    *,
    author: str = TRAINING,
    reason: str = "",
) -> Plan:
    """Store a plan as the newest version of its name and make it the active one, or change nothing.

    Returns:
        The plan with the version that it was given.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with connection(database_url) as session, only_writer(session):
        stored = await store(session, owner, plan, author=author, reason=reason)
        to = PlanId(stored.name, stored.version)
        await activate(session, owner, to, author=author, reason=reason)
    return stored


async def offer_plan(
    database_url: str,
    plan: Plan,
    owner: str = HOUSE,
    *,
    author: str = TRAINING,
    reason: str = "",
) -> Offered:
    """Store the plan that a training made, and activate it unless a plan of another
    name is active, which then stays active.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with connection(database_url) as session, only_writer(session):
        before = await read_active(session, owner)
        stored = await store(session, owner, plan, author=author, reason=reason)
        if before is not None and before.name != plan.name:
            return Offered(stored, False, before.id)
        to = PlanId(stored.name, stored.version)
        await activate(session, owner, to, author=author, reason=reason)
    return Offered(stored, True)


async def reactivate_plan(
    database_url: str,
    name: str,
    version: int,
    owner: str = HOUSE,
    *,
    author: str = TRAINING,
    reason: str = "",
) -> None:
    """Make a stored plan the active one, or change nothing.

    Raises:
        NotFound: there is no such plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    async with connection(database_url) as session:
        await activate(session, owner, PlanId(name, version), author=author, reason=reason)


def active_of(settings: Settings, owner: str = HOUSE) -> Plan | None:
    """Return the active plan; None if no database is set, or no plan is active. Blocks."""
    url = settings.database_url
    return None if url is None else asyncio.run(active_plan(url.get_secret_value(), owner))


def activation(database_url: str, owner: str = HOUSE) -> Callable[[Plan], Offered]:
    """Return a blocking `offer_plan` on this database."""
    return lambda plan: asyncio.run(offer_plan(database_url, plan, owner))
