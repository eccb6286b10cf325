"""The active plan, read from a real PostgreSQL that goes away and comes back."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from deciding.plans.active import PlanFeed, PlanTable
from deciding.plans.kept import KeptPlan
from fraud.errors import StoreUnavailable
from tests.contracts.decisions import PLAN


async def activate(url, plan):
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("UPDATE plans SET active = false WHERE active")
            await connection.execute(
                "INSERT INTO plans (name, version, document, active) VALUES ($1, $2, $3, true)",
                plan.name,
                plan.version,
                plan.to_json(),
            )
    finally:
        await connection.close()


async def test_the_active_plan_is_read_and_survives_a_lost_connection(database_url):
    table = PlanTable(database_url, 5.0)
    feed = PlanFeed(table.active)
    await feed.refresh()
    assert feed.current is None
    await activate(database_url, PLAN)
    await feed.refresh()
    assert feed.current.plan == PLAN

    admin = await asyncpg.connect(database_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    await feed.refresh()
    assert feed.current.plan == PLAN
    newer = replace(PLAN, version=PLAN.version + 1)
    await activate(database_url, newer)
    await feed.refresh()
    await feed.refresh()
    assert feed.current.plan == newer
    await table.close()


async def test_a_start_without_postgres_goes_on_with_the_plan_that_decided(database_url, tmp_path):
    await activate(database_url, replace(PLAN, version=PLAN.version + 3))
    kept = KeptPlan(tmp_path / "active_plan.json")
    table = PlanTable(database_url, 5.0)
    await PlanFeed(table.active, kept=kept).refresh()
    nobody = PlanTable("postgresql://nobody@127.0.0.1:1/none", 2.0)
    feed = PlanFeed(nobody.active, kept=kept)
    await feed.start()
    assert (feed.current.plan.version, feed.current.kept) == (PLAN.version + 3, True)
    await feed.close()
    await table.close()


async def test_a_document_that_is_no_plan_changes_nothing(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE plans SET active = false WHERE active")
    await connection.execute(
        "INSERT INTO plans (name, version, document, active) VALUES ('odd', 1, '{\"a\": 1}', true)"
    )
    await connection.close()
    table = PlanTable(database_url, 5.0)
    with pytest.raises(ValueError, match="not a plan"):
        await table.active()
    await table.close()


async def test_nobody_there():
    with pytest.raises(StoreUnavailable):
        await PlanTable("postgresql://nobody@127.0.0.1:1/none", 2.0).active()


async def test_a_connection_that_ends_in_mid_call_is_made_again(database_url, monkeypatch):
    """asyncpg says so with an error outside its own tree."""
    await activate(database_url, replace(PLAN, version=PLAN.version + 7))
    table = PlanTable(database_url, 5.0)

    async def cut_off(*_):
        raise asyncpg.InternalClientError("cannot switch to state 12")

    with monkeypatch.context() as broken:
        broken.setattr(table, "_document", cut_off)
        with pytest.raises(StoreUnavailable):
            await table.active()
    assert (await table.active()).version == PLAN.version + 7
    await table.close()
