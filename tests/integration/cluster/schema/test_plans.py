"""Plans that were stored before they had owners go on deciding, also for the old release."""

from __future__ import annotations

import asyncpg

from cluster.schema.migrate import migrate, read_migrations
from deciding.plans.activations import history, roll_back
from deciding.plans.table import activate_plan, active_plan
from deciding.plans.versions import PlanId
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN

OLD_INSERT = "INSERT INTO plans (name, version, document, active) VALUES ($1, $2, $3::jsonb, true)"


async def test_an_active_plan_stays_active_and_can_be_gone_back_to(empty_database_url: str) -> None:
    files = read_migrations()
    await migrate(empty_database_url, migrations=[file for file in files if file.number < 11])
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(OLD_INSERT, PLAN.name, PLAN.version, PLAN.to_json())
    await migrate(empty_database_url, "pre", files)
    assert await active_plan(empty_database_url) == PLAN
    (entry,) = await history(connection, HOUSE)
    assert (entry.plan, entry.previous, entry.author) == (PlanId("default", 3), None, "")

    # During a roll-out a training of the old release still activates its plan.
    async with connection.transaction():
        await connection.execute("UPDATE plans SET active = false WHERE active")
        await connection.execute(OLD_INSERT, PLAN.name, PLAN.version + 1, PLAN.to_json())
    newer = await activate_plan(empty_database_url, PLAN)
    assert newer.version == PLAN.version + 2
    done = await roll_back(connection, HOUSE, author="me")
    assert done.plan == PlanId("default", PLAN.version + 1)
    await connection.close()
