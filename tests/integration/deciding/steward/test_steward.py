"""A steward over a real PostgreSQL: plans and decisions as the rest of the system writes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deciding.plans.activations import Activation, activate, history, roll_back
from deciding.plans.table import activate_plan, active_plan
from deciding.plans.versions import PlanId, list_versions, only_writer, store
from deciding.steward.steward import GUARD_RAIL, Steward
from deciding.steward.table import StewardTable
from deciding.steward.watch import LOCK, StewardWatch
from decision_log.readers.arm_counts import ArmCountsReader
from decision_log.shipping.postgres_sink import PostgresSink
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.canary import Advance, Canary
from fraud.policy.guard import Guard
from fraud.variant import HOUSE
from stores.postgres.leader import Leadership
from telemetry import metrics
from tests.contracts.plans import leaf
from tests.contracts.stewardship import arm_records

GUARD = Guard(max_error_rate=0.1, max_p95_ms=50, block_rate=(0.0, 0.2), min_decisions=100)
SPLIT = AB((Arm("old", 90, leaf("xgboost")), Arm("new", 10, leaf("logistic"))), guard=GUARD)
RAMP = Canary(leaf("xgboost"), leaf("logistic"), advance=Advance(after_minutes=1), guard=GUARD)


class Deployed:
    """A database with a plan that decides, and stewards over it.

    Attributes:
        seen: owner -> plan, as the stewards' process has it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.sink = PostgresSink(url)
        self.seen: dict[str, Plan] = {}
        self.watches: list[StewardWatch] = []

    async def decide(self, plan: Plan, owner: str = HOUSE) -> Plan:
        """Let a plan decide."""
        self.seen[owner] = await activate_plan(self.url, plan, owner)
        return self.seen[owner]

    async def hear(self) -> Plan:
        """Let the process hear of the plan that decides for the house."""
        found = await active_plan(self.url)
        assert found is not None
        self.seen[HOUSE] = found
        return found

    def watch(self, interval_s: float = 60.0) -> StewardWatch:
        """A watch of a replica of its own."""

        async def recommend(owner: str, plan: Plan, arm: str) -> str | None:
            raise AssertionError("no canary waits for a report")

        steward = Steward(
            lambda: dict(self.seen),
            StewardTable(self.url, 10, "default"),
            ArmCountsReader(self.url, 10),
            recommend,
        )
        self.watches.append(StewardWatch(steward, Leadership(self.url, LOCK, 10), interval_s))
        return self.watches[-1]

    async def last(self, owner: str = HOUSE, limit: int = 1) -> list[Activation]:
        """The last activations."""
        connection = await asyncpg.connect(self.url)
        try:
            return await history(connection, owner, limit)
        finally:
            await connection.close()

    async def versions(self, name: str) -> list[int]:
        """The versions of a plan of the house."""
        connection = await asyncpg.connect(self.url)
        try:
            return sorted(v.version for v in await list_versions(connection, [HOUSE], name))
        finally:
            await connection.close()


@pytest.fixture
async def deployed(database_url: str) -> AsyncIterator[Deployed]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE decisions, transactions, plans, activations")
    await connection.close()
    one = Deployed(database_url)
    yield one
    for watch in one.watches:
        await watch.close()
    await one.sink.close()


async def test_an_arm_that_blocks_too_much_is_gone_after_one_look(deployed: Deployed):
    plan = await deployed.decide(Plan("guarded", 1, SPLIT))
    now = datetime.now(UTC)
    await deployed.sink.insert(
        [
            arm_records(plan, "old", now, 400, blocks=20),
            arm_records(plan, "new", now, 100, blocks=60),
        ]
    )
    await deployed.watch().turn()
    after = await deployed.hear()
    assert (after.name, after.version) == ("guarded", 2)
    assert [(arm.weight, arm.slots) for arm in after.policy.arms] == [
        (100, ((0, 10_000),)),
        (0, ()),
    ]
    assert after.policy.guard == GUARD
    (done,) = await deployed.last()
    assert (done.author, done.automatic) == (GUARD_RAIL, True)
    assert (done.plan, done.previous) == (PlanId("guarded", 2), PlanId("guarded", 1))
    assert done.reason == (
        "new: 60 % of 100 decisions are blocked, and 0 % to 20 % should be; its customers go to old"
    )
    assert metrics.PLAN_GUARD_RAIL.labels("guarded", "new", "block_rate")._value.get() == 1


@pytest.mark.parametrize(
    ("ill", "band"), [({"errors": 11}, "error_rate"), ({"votes_ms": 60.0}, "p95")]
)
async def test_every_band_is_measured(deployed: Deployed, ill: dict[str, float], band: str):
    plan = await deployed.decide(Plan(f"band-{band}", 1, replace(RAMP, step=1)))
    now = datetime.now(UTC)
    await deployed.sink.insert(
        [arm_records(plan, "baseline", now, 400), arm_records(plan, "canary", now, 100, **ill)]
    )
    await deployed.watch().turn()
    assert (await deployed.hear()).policy.step is None
    assert metrics.PLAN_GUARD_RAIL.labels(plan.name, "canary", band)._value.get() == 1


async def test_two_watches_at_once_act_once(deployed: Deployed):
    plan = await deployed.decide(Plan("twice", 1, SPLIT))
    await deployed.sink.insert([arm_records(plan, "new", datetime.now(UTC), 100, blocks=60)])
    first, second = deployed.watch(), deployed.watch()
    await asyncio.gather(first.turn(), second.turn())
    assert await deployed.versions("twice") == [1, 2]
    # Even without the lock, and with a plan in memory that decides no longer.
    await asyncio.gather(*(watch._steward.look() for watch in (first, second)))
    assert await deployed.versions("twice") == [1, 2]


async def test_two_that_looked_at_the_same_version_act_once(deployed: Deployed):
    plan = await deployed.decide(Plan("same", 1, SPLIT))
    tables = [StewardTable(deployed.url, 10, "default") for _ in range(2)]
    after = replace(plan, policy=SPLIT.without("new"))
    made = await asyncio.gather(
        *(t.replace(HOUSE, plan, after, author="guard-rail", reason="x" * 900) for t in tables)
    )
    assert [plan.version for plan in made if plan is not None] == [2]
    assert await deployed.versions("same") == [1, 2]
    (done, _) = await deployed.last(limit=2)
    assert len(done.reason) == 500
    for table in tables:
        await table.close()


async def test_an_operator_s_plan_is_never_overwritten(deployed: Deployed):
    plan = await deployed.decide(Plan("theirs", 1, SPLIT))
    await deployed.sink.insert([arm_records(plan, "new", datetime.now(UTC), 100, blocks=60)])
    await activate_plan(deployed.url, Plan("theirs", 1, replace(SPLIT, salt="theirs")))
    await deployed.watch().turn()
    assert await deployed.versions("theirs") == [1, 2]
    assert (await deployed.hear()).policy.salt == "theirs"
    table = StewardTable(deployed.url, 10, "default")
    after = replace(plan, policy=SPLIT.without("new"))
    assert await table.replace(HOUSE, plan, after, author="x", reason="") is None
    await table.close()
    assert await deployed.versions("theirs") == [1, 2], "what lost the race is not stored"


async def test_customers_of_other_arms_stay_where_the_active_version_put_them(deployed: Deployed):
    """A newer version that is stored but does not decide has no say."""
    arms = ("old", "new", "third"), [leaf(name) for name in ("xgboost", "logistic", "rf")]
    split = AB(tuple(map(Arm, arms[0], (90, 5, 5), arms[1])), guard=GUARD)
    plan = await deployed.decide(Plan("drafted", 1, split))
    connection = await asyncpg.connect(deployed.url)
    draft = AB(tuple(map(Arm, arms[0], (20, 40, 40), arms[1])))
    async with only_writer(connection):
        await store(connection, HOUSE, replace(plan, policy=draft), author="somebody")
    await connection.close()
    await deployed.sink.insert([arm_records(plan, "new", datetime.now(UTC), 100, blocks=60)])
    await deployed.watch().turn()
    after = await deployed.hear()
    assert after.version == 3
    assert after.policy.arms[2].slots == plan.policy.arms[2].slots


async def test_an_arm_that_an_operator_puts_back_begins_anew(deployed: Deployed):
    plan = await deployed.decide(Plan("again", 1, SPLIT))
    now = datetime.now(UTC)
    await deployed.sink.insert([arm_records(plan, "new", now, 100, blocks=60)])
    watch = deployed.watch()
    await watch.turn()
    connection = await asyncpg.connect(deployed.url)
    await roll_back(connection, HOUSE, author="somebody", reason="it was the customers")
    await connection.close()
    assert (await deployed.hear()).version == 1
    await watch.turn()
    assert await deployed.versions("again") == [1, 2]
    await deployed.sink.insert(
        [arm_records(plan, "new", datetime.now(UTC) + timedelta(seconds=1), 100, blocks=60)]
    )
    await watch.turn()
    assert await deployed.versions("again") == [1, 2, 3]


async def test_a_canary_takes_its_step_when_its_minute_is_over(deployed: Deployed):
    plan = await deployed.decide(Plan("ramp", 1, RAMP))
    await deployed.sink.insert([arm_records(plan, "canary", datetime.now(UTC), 100)])
    watch = deployed.watch()
    await watch.turn()
    assert (await deployed.hear()).version == 1
    connection = await asyncpg.connect(deployed.url)
    await connection.execute("UPDATE activations SET activated_at = now() - interval '61 s'")
    await connection.close()
    await watch.turn()
    after = await deployed.hear()
    assert (after.version, after.policy.step) == (2, 1)
    (done,) = await deployed.last()
    assert (done.author, done.automatic) == ("canary", True)
    assert done.reason == "canary: step 2 of 5: 1 % -> 5 %, after 1 min"
    await watch.turn()
    assert (await deployed.hear()).version == 2


async def test_a_tenant_s_plan_is_changed_for_that_tenant_alone(deployed: Deployed):
    house = await deployed.decide(Plan("shared", 1, SPLIT))
    own = await deployed.decide(Plan("shared", 1, SPLIT), "acme")
    now = datetime.now(UTC)
    await deployed.sink.insert(
        [
            arm_records(house, "new", now, 100),
            arm_records(own, "new", now, 100, blocks=60, tenant="acme"),
        ]
    )
    await deployed.watch().turn()
    assert (await deployed.hear()) == house
    assert (await active_plan(deployed.url, "acme")).version == 2


async def test_another_replica_goes_on_when_one_is_gone(deployed: Deployed):
    plan = await deployed.decide(Plan("heir", 1, SPLIT))
    first, second = deployed.watch(), deployed.watch(interval_s=0.05)
    await first.turn()
    second.start()
    await deployed.sink.insert([arm_records(plan, "new", datetime.now(UTC), 100, blocks=60)])
    await asyncio.sleep(0.3)
    assert await deployed.versions("heir") == [1], "the first one leads, and does not look"
    await first.close()
    async with asyncio.timeout(30):
        while await deployed.versions("heir") == [1]:  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.05)
    assert second.alive


async def test_without_postgresql_it_fails_and_goes_on(deployed: Deployed):
    plan = await deployed.decide(Plan("down", 1, SPLIT))
    before = metrics.GUARD_RAIL_ERRORS._value.get()
    deployed.url, url = "postgresql://nobody@127.0.0.1:9/none", deployed.url
    watch = deployed.watch(interval_s=0.01)
    watch.start()
    async with asyncio.timeout(30):
        while metrics.GUARD_RAIL_ERRORS._value.get() < before + 2:  # noqa: ASYNC110 - nor metrics
            await asyncio.sleep(0.01)
    assert watch.alive
    await watch.close()
    assert not watch.alive
    deployed.url = url
    assert await deployed.hear() == plan


async def test_activation_is_needed_for_a_plan_to_be_changed(deployed: Deployed):
    """What is only stored is none of the steward's business."""
    plan = await deployed.decide(Plan("active", 1, SPLIT))
    connection = await asyncpg.connect(deployed.url)
    async with only_writer(connection):
        stored = await store(connection, HOUSE, replace(plan, name="stored"), author="somebody")
    table = StewardTable(deployed.url, 10, "default")
    assert await table.active_since(HOUSE, stored) is None
    assert await table.active_since(HOUSE, plan) is not None
    await activate(connection, HOUSE, PlanId("stored", 1), author="somebody")
    assert await table.active_since(HOUSE, plan) is None
    await connection.close()
    await table.close()
