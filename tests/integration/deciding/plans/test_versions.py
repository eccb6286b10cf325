"""Versions of plans on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from deciding.plans.activations import activate
from deciding.plans.versions import (
    PlanId,
    list_versions,
    only_writer,
    read_newest,
    read_version,
    store,
)
from fraud.errors import NotFound
from fraud.plan import Plan
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN

LEAF = PLAN.policy.to_document()


def split(*weights: int) -> Plan:
    arms = [{"name": f"arm{i}", "weight": w, "plan": LEAF} for i, w in enumerate(weights)]
    return Plan.from_document({"name": "split", "version": 1, "kind": "ab", "arms": arms})


def slots(plan: Plan) -> list[set[int]]:
    arms = plan.to_document()["arms"]
    return [{slot for first, end in arm["slots"] for slot in range(first, end)} for arm in arms]


@pytest.fixture
async def session(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE plans, activations")
    yield connection
    await connection.close()


async def put(session, plan: Plan, owner: str = HOUSE) -> Plan:
    async with only_writer(session):
        return await store(session, owner, plan, author="me", reason="why")


async def test_a_version_is_read_as_it_was_stored(session):
    stored = await put(session, replace(PLAN, version=99))
    assert stored.version == 1
    found = await read_version(session, HOUSE, PLAN.name, 1)
    assert (found.plan(), found.id, found.kind) == (stored, PlanId(PLAN.name, 1), "ensemble")
    assert (found.author, found.reason, found.active) == ("me", "why", False)
    newer = await put(session, PLAN)
    assert (await read_newest(session, HOUSE, PLAN.name)).plan() == newer
    for missing in (
        read_version(session, HOUSE, PLAN.name, 3),
        read_version(session, "acme", PLAN.name, 1),
        read_newest(session, HOUSE, "none"),
    ):
        with pytest.raises(NotFound):
            await missing


async def test_a_list_begins_with_what_decides_and_then_has_the_newest(session):
    for name in ("b", "a"):
        for _ in range(2):
            await put(session, replace(PLAN, name=name))
    await put(session, replace(PLAN, name="c"), "acme")
    await put(session, replace(PLAN, name="d"), "other")
    await activate(session, HOUSE, PlanId("b", 1), author="me")
    found = await list_versions(session, ("acme", HOUSE))
    assert [(p.owner, *p.id) for p in found] == [
        *((HOUSE, "b", 1), ("acme", "c", 1)),
        *((HOUSE, "a", 2), (HOUSE, "a", 1), (HOUSE, "b", 2)),
    ]
    assert all(p.document is None for p in found)
    assert [p.version for p in await list_versions(session, (HOUSE,), "a", 1)] == [2]


async def test_customers_stay_on_their_arms_from_version_to_version(session):
    first = await put(session, split(90, 10))
    second = await put(session, split(70, 30))
    assert slots(first)[1] < slots(second)[1]
    third = await put(session, split(95, 5))
    assert slots(third)[1] < slots(second)[1]
    assert slots(await put(session, split(95, 5), "acme")) == slots(split(95, 5)), "its first"


async def test_a_draft_that_was_never_active_moves_nobody(session):
    active = await put(session, split(50, 30, 20))
    await activate(session, HOUSE, PlanId("split", active.version), author="me")
    await put(session, split(5, 5, 90))
    after = await put(session, split(60, 20, 20))
    moved = [old - new for old, new in zip(slots(active), slots(after), strict=True)]
    assert [len(part) for part in moved] == [0, 1000, 0]


async def test_a_version_before_that_cannot_be_read_is_no_obstacle(session):
    await put(session, split(90, 10))
    await session.execute("UPDATE plans SET document = '{\"a\": 1}'")
    assert (await put(session, split(70, 30))).version == 2


async def test_a_transaction_that_fails_stores_nothing(session):
    async def fail() -> None:
        async with only_writer(session):
            await store(session, HOUSE, PLAN, author="me")
            raise RuntimeError("after the insert")

    with pytest.raises(RuntimeError):
        await fail()
    assert await list_versions(session, (HOUSE,)) == []
