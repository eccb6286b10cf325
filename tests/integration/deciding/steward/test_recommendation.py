"""What reports recommend for canaries, made by the program over a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from deciding.plans.activations import withdraw
from deciding.plans.table import activate_plan
from deciding.steward.recommendation import recommendation
from deciding.steward.recommender import Recommender, Request
from deciding.steward.table import StewardTable
from fraud.errors import Unavailable
from fraud.plan import Plan
from fraud.policy.canary import Canary
from tests.contracts.experiment import END, START, record, world
from tests.contracts.plans import leaf

PLAN = Plan("default", 7, Canary(leaf("xgboost"), leaf("logistic")))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with decisions of two arms, of which `new` is better."""
    one = await asyncpg.connect(database_url)
    await one.execute(
        "TRUNCATE decisions, transactions, labels, plans, activations, shadow_decisions,"
        " recorded_plans"
    )
    await record(one, world(20_000))
    yield one
    await one.close()


async def test_the_better_arm_is_promoted_and_an_unknown_one_is_not(connection):
    request = Request("acme", "default", "new", START.isoformat())
    assert await recommendation(connection, request, END) == "promote"
    early = START + timedelta(days=2)
    assert await recommendation(connection, request, early) == "not yet"
    # What was decided before the canary began is another experiment's.
    late = replace(request, since=(END - timedelta(days=1)).isoformat())
    assert await recommendation(connection, late, END) is None
    for other in ({"arm": "control"}, {"arm": "third"}, {"plan": "other"}, {"tenant": "other"}):
        assert await recommendation(connection, replace(request, **other), END) is None


async def test_the_program_answers_as_the_function(
    connection, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))

    async def since(owner: str, plan: Plan, arm: str) -> datetime | None:
        return None if arm == "gone" else START

    recommender = Recommender(since, "default")
    assert await recommender.recommend("acme", PLAN, "new") == "promote"
    assert await recommender.recommend("acme", PLAN, "gone") is None
    # The home tenant's payments stand for the house's: here it has none.
    assert await recommender.recommend("", PLAN, "new") is None
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(Unavailable, match=r"report failed: .*refuses the connection"):
        await recommender.recommend("acme", PLAN, "new")


async def test_a_report_that_takes_too_long_is_given_up(connection, database_url: str):
    async def since(owner: str, plan: Plan, arm: str) -> datetime | None:
        return START

    recommender = Recommender(since, "default", limit_s=0.01)
    with pytest.raises(Unavailable, match=r"took over 0\.01 s"):
        await recommender.recommend("acme", PLAN, "new")
    task = asyncio.create_task(Recommender(since, "default").recommend("acme", PLAN, "new"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_canary_counts_from_its_first_step_beside_the_same_baseline(
    connection, database_url: str
):
    table = StewardTable(database_url, 10, "default")
    other = replace(PLAN.policy, canary=leaf("random-forest"))
    at = []
    for policy in (PLAN.policy, other, replace(PLAN.policy, step=0), replace(PLAN.policy, step=1)):
        at.append(datetime.now(UTC))
        now = await activate_plan(database_url, replace(PLAN, policy=policy))
    since = await table.beside_baseline_since("", now, "canary")
    assert since is not None
    assert at[2] - timedelta(seconds=1) < since < at[3] + timedelta(seconds=1)
    (third,) = await connection.fetch("SELECT activated_at FROM activations WHERE version = 3")
    assert since == third["activated_at"]
    assert await table.beside_baseline_since("", now, "eur > canary") is None
    assert await table.beside_baseline_since("", replace(now, name="renamed"), "canary") is None
    assert await table.beside_baseline_since("acme", now, "canary") is None
    # Without a plan of its own a tenant has no canary.
    own = await activate_plan(database_url, PLAN, "acme")
    assert await table.beside_baseline_since("acme", own, "canary") is not None
    await withdraw(connection, "acme", author="somebody")
    assert await table.beside_baseline_since("acme", own, "canary") is None
    await table.close()
