"""The plans of owners, as training and promotion need them: none of the functions is for a running
event loop."""

from __future__ import annotations

import asyncio

from deciding.plans.activations import withdraw
from deciding.plans.table import TRAINING, active_of, reactivate_plan
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.store.alias import NO_PLAN
from settings.settings import Settings
from stores.postgres.connect import connection


def deciding(settings: Settings, owner: str) -> Plan | None:
    """The owner's active plan, else the house's; None if no database is set, or neither is
    active."""
    own = active_of(settings, owner)
    return active_of(settings, HOUSE) if own is None and owner != HOUSE else own


def replaced_by(plan: Plan, active: Plan | None, owner: str) -> tuple[str, int] | None:
    """What to go back to from an owner's new plan, for `Move.plan_before`: name and version of the
    plan that it replaces, `NO_PLAN` for a tenant without one of its own, and None if it replaces
    nothing, since a plan of another name stays active."""
    if active is None:
        return None if owner == HOUSE else NO_PLAN
    return (active.name, active.version) if active.name == plan.name else None


def go_back(database_url: str, owner: str, plan_before: tuple[str, int]) -> None:
    """Activate a stored plan of the owner again; for `NO_PLAN`, leave the tenant to the house's.

    Raises:
        NotFound: there is no such plan.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if plan_before == NO_PLAN:
        asyncio.run(_withdraw(database_url, owner))
    else:
        asyncio.run(reactivate_plan(database_url, *plan_before, owner, reason="rolled back"))


async def _withdraw(database_url: str, owner: str) -> None:
    async with connection(database_url) as session:
        await withdraw(session, owner, author=TRAINING, reason="rolled back")
