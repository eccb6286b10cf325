"""Plans are stored and activated, or nothing changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from deciding.plans.table import activate_plan, active_plan, active_row, reactivate_plan
from fraud.errors import NotFound
from tests.contracts.decisions import PLAN


async def test_versions_of_a_name_rise_and_the_newest_is_active(database_url):
    plan = replace(PLAN, name="rising")
    made = await asyncio.gather(*(activate_plan(database_url, plan) for _ in range(4)))
    assert sorted(stored.version for stored in made) == [1, 2, 3, 4]
    assert await active_plan(database_url) == replace(plan, version=4)


async def test_an_older_version_is_activated_again_and_an_unknown_one_changes_nothing(database_url):
    plan = replace(PLAN, name="back")
    for _ in range(2):
        await activate_plan(database_url, plan)
    await reactivate_plan(database_url, "back", 1)
    assert await active_plan(database_url) == replace(plan, version=1)
    with pytest.raises(NotFound, match="no plan back v9"):
        await reactivate_plan(database_url, "back", 9)
    assert await active_plan(database_url) == replace(plan, version=1)


async def test_a_row_says_which_plan_is_active(database_url):
    plan = await activate_plan(database_url, replace(PLAN, name="row"))
    connection = await asyncpg.connect(database_url)
    try:
        row = await active_row(connection)
        assert (row["name"], row["version"], row["kind"]) == ("row", plan.version, plan.kind)
        await connection.execute("UPDATE plans SET active = false WHERE active")
        assert await active_row(connection) is None
    finally:
        await connection.close()
    assert await active_plan(database_url) is None
