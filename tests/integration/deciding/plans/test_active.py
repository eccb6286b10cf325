"""The active plans, read from a real PostgreSQL that goes away and comes back."""

from __future__ import annotations

import time
from dataclasses import replace

import asyncpg
import pytest

from deciding.plans.active import POLL_S, PlanFeed
from deciding.plans.local_copy import LocalCopy
from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan
from tests.contracts.decisions import PLAN
from tests.contracts.pgbouncer import bouncing
from tests.contracts.waiting import until

WITHIN_S = 2.0
"""From an activation to the decisions of every combiner."""


async def test_the_active_plan_is_read_and_survives_a_lost_connection(database_url):
    reader = PlanReader(database_url, 30.0)
    feed = PlanFeed(reader.changes)
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


async def test_a_start_without_postgres_goes_on_with_the_plans_that_decided(database_url, tmp_path):
    plan = await activate_plan(database_url, PLAN)
    own = await activate_plan(database_url, PLAN, "acme")
    copy = LocalCopy(tmp_path / "active_plan.json")
    reader = PlanReader(database_url, 30.0)
    await PlanFeed(reader.changes, copy=copy).refresh()
    nobody = PlanReader("postgresql://nobody@127.0.0.1:1/none", 2.0)
    feed = PlanFeed(nobody.changes, copy=copy)
    await feed.start()
    assert (feed.current.plan.version, feed.current.is_local) == (plan.version, True)
    assert feed.current_for("acme").plan == own
    await feed.close()
    await reader.close()


async def seconds_until_decided(url: str, activations: int) -> list[float]:
    """Seconds from an activation to the slower of two combiners, each time."""
    readers = [PlanReader(url, 30.0) for _ in range(2)]
    feeds = [PlanFeed(reader.changes) for reader in readers]
    for reader, feed in zip(readers, feeds, strict=True):
        reader.announced = feed.wake
        await feed.start()
    took = []
    try:
        for i in range(activations):
            plan = await activate_plan(url, replace(PLAN, name=f"timed-{i}"))
            began = time.monotonic()
            await until(lambda plan=plan: all(feed.current.plan == plan for feed in feeds))
            took.append(time.monotonic() - began)
    finally:
        for reader, feed in zip(readers, feeds, strict=True):
            await feed.close()
            await reader.close()
    return took


async def test_an_activation_is_announced_and_decides_at_once(database_url):
    await activate_plan(database_url, PLAN)
    took = await seconds_until_decided(database_url, 5)
    assert max(took) < WITHIN_S
    assert sorted(took)[2] < POLL_S / 2, "announced, not polled"


async def test_behind_a_pooler_the_poll_is_soon_enough(database_url):
    await activate_plan(database_url, PLAN)
    async with bouncing(database_url) as url:
        assert max(await seconds_until_decided(url, 3)) < WITHIN_S


@pytest.mark.parametrize("owner", ["", "acme"])
async def test_a_document_that_cannot_be_read_leaves_the_last_plan(database_url, owner):
    for each in ("", "acme", "other"):
        await activate_plan(database_url, PLAN, each)
    reader = PlanReader(database_url, 30.0)
    feed = PlanFeed(reader.changes)
    await feed.refresh()
    last = feed.current_for(owner)
    admin = await asyncpg.connect(database_url)
    await admin.execute(
        'UPDATE plans SET document = \'{"kind": "odd"}\' WHERE active AND owner = $1', owner
    )
    await admin.close()
    newer = await activate_plan(database_url, PLAN, "other")
    await feed.refresh()
    assert feed.current_for(owner) is last
    assert feed.current_for("other").plan == newer
    await reader.close()
