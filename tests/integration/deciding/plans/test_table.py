"""Plans by the address of a database: stored and activated, or nothing changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from deciding.plans.table import activate_plan, active_plan, offer_plan, reactivate_plan
from deciding.plans.versions import PlanId, read_active
from fraud.errors import InvalidInput, NotFound
from fraud.variant import HOUSE
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


async def test_each_owner_has_versions_and_an_active_plan_of_its_own(database_url):
    ours = replace(PLAN, name="shared")
    theirs = replace(ours, policy=replace(PLAN.ensemble, deadline_ms=7))
    ours = await activate_plan(database_url, ours)
    assert await active_plan(database_url, "acme") is None
    theirs = await activate_plan(database_url, theirs, "acme")
    assert (ours.version, theirs.version) == (1, 1)
    assert await active_plan(database_url) == ours
    assert await active_plan(database_url, "acme") == theirs


async def test_a_trained_plan_decides_unless_somebody_chose_one_of_another_name(database_url):
    trained = replace(PLAN, name="trained")
    first = await offer_plan(database_url, trained, "mine")
    assert (first.decides, first.plan.version, first.active) == (True, 1, None)
    second = await offer_plan(database_url, trained, "mine")
    assert (second.decides, second.plan.version) == (True, 2)
    chosen = await activate_plan(database_url, replace(PLAN, name="chosen"), "mine")
    third = await offer_plan(database_url, trained, "mine")
    assert (third.decides, third.plan.version) == (False, 3)
    assert third.active == PlanId("chosen", 1)
    assert await active_plan(database_url, "mine") == chosen
    await reactivate_plan(database_url, "trained", 3, "mine")
    assert (await offer_plan(database_url, trained, "mine")).decides


async def test_a_row_says_which_plan_is_active(database_url):
    plan = await activate_plan(database_url, replace(PLAN, name="row"), author="me", reason="why")
    connection = await asyncpg.connect(database_url)
    try:
        row = await read_active(connection, HOUSE)
        assert (row.id, row.kind, row.active) == (PlanId("row", plan.version), plan.kind, True)
        assert (row.author, row.reason, row.plan()) == ("me", "why", plan)
        await connection.execute("UPDATE plans SET document = '{\"a\": 1}' WHERE active")
        with pytest.raises(InvalidInput, match="plan cannot be used"):
            await active_plan(database_url)
        await connection.execute("UPDATE plans SET active = false WHERE active")
        assert await read_active(connection, HOUSE) is None
    finally:
        await connection.close()
    assert await active_plan(database_url) is None
