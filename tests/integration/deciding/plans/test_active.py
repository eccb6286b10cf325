"""The active plan, read from a real PostgreSQL that goes away and comes back."""

from __future__ import annotations

import asyncpg

from deciding.plans.active import PlanFeed
from deciding.plans.local_copy import LocalCopy
from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan
from tests.contracts.decisions import PLAN


async def test_the_active_plan_is_read_and_survives_a_lost_connection(database_url):
    reader = PlanReader(database_url, 30.0)
    feed = PlanFeed(reader.active)
    await feed.refresh()
    assert feed.current is None
    plan = await activate_plan(database_url, PLAN)
    await feed.refresh()
    assert feed.current.plan == plan

    admin = await asyncpg.connect(database_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    await feed.refresh()
    assert feed.current.plan == plan
    newer = await activate_plan(database_url, PLAN)
    await feed.refresh()
    await feed.refresh()
    assert feed.current.plan == newer
    await reader.close()


async def test_a_start_without_postgres_goes_on_with_the_plan_that_decided(database_url, tmp_path):
    plan = await activate_plan(database_url, PLAN)
    copy = LocalCopy(tmp_path / "active_plan.json")
    reader = PlanReader(database_url, 30.0)
    await PlanFeed(reader.active, copy=copy).refresh()
    nobody = PlanReader("postgresql://nobody@127.0.0.1:1/none", 2.0)
    feed = PlanFeed(nobody.active, copy=copy)
    await feed.start()
    assert (feed.current.plan.version, feed.current.is_local) == (plan.version, True)
    await feed.close()
    await reader.close()
