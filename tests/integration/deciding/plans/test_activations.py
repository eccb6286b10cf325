"""Which plan decides: one of several at the same time wins, and each change is on record."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from deciding.plans.activations import activate, history, roll_back, withdraw
from deciding.plans.versions import PlanId, only_writer, read_active, store
from fraud.errors import Conflict, NotFound
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN

V1, V2, V3 = (PlanId(PLAN.name, version) for version in (1, 2, 3))


@pytest.fixture
async def session(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE plans, activations")
    async with only_writer(connection):
        for owner in (HOUSE, "acme"):
            for _ in range(3):
                await store(connection, owner, PLAN, author="me")
    yield connection
    await connection.close()


async def active(session, owner=HOUSE):
    found = await read_active(session, owner)
    return None if found is None else found.id


async def test_of_two_activations_at_the_same_time_one_wins(database_url, session):
    """Round after round, from two connections that both saw the same plan."""
    await activate(session, HOUSE, V1, author="me")
    other = await asyncpg.connect(database_url)
    seen, wins = V1, []
    for _ in range(10):
        rivals = [plan for plan in (V1, V2, V3) if plan != seen]
        results = await asyncio.gather(
            *(
                activate(connection, HOUSE, plan, author=str(plan), expected=seen)
                for connection, plan in zip((session, other), rivals, strict=True)
            ),
            return_exceptions=True,
        )
        lost = [error for error in results if isinstance(error, Exception)]
        assert [type(error) for error in lost] == [Conflict]
        (won,) = (found for found in results if not isinstance(found, Exception))
        assert won.previous == seen
        seen = won.plan
        assert await active(session) == seen
        wins.append(seen)
    await other.close()
    assert [entry.plan for entry in await history(session, HOUSE)] == [*reversed(wins), V1]


async def test_what_nobody_expects_is_activated_whatever_decides(session):
    first = await activate(session, HOUSE, V1, author="me", reason="first")
    assert (first.plan, first.previous, first.automatic) == (V1, None, False)
    second = await activate(session, HOUSE, V2, author="guard", automatic=True)
    assert (second.previous, second.automatic) == (V1, True)
    assert await history(session, HOUSE) == [second, first]
    assert await history(session, "acme") == []


async def test_an_active_plan_is_activated_again_without_a_record(session):
    await activate(session, HOUSE, V1, author="me")
    assert await activate(session, HOUSE, V1, author="me", expected=V3) is None, "a repeated call"
    assert len(await history(session, HOUSE)) == 1


async def test_a_wrong_expectation_or_an_unknown_plan_changes_nothing(session):
    with pytest.raises(Conflict, match="no plan is active by now"):
        await activate(session, HOUSE, V2, author="me", expected=V1)
    await activate(session, HOUSE, V1, author="me", expected=None)
    with pytest.raises(Conflict, match="plan default v1 is active by now"):
        await activate(session, HOUSE, V2, author="me", expected=None)
    with pytest.raises(NotFound, match="no plan default v9"):
        await activate(session, HOUSE, PlanId(PLAN.name, 9), author="me")
    with pytest.raises(NotFound):
        await activate(session, "stranger", V1, author="me")
    assert await active(session) == V1
    assert len(await history(session, HOUSE)) == 1


async def test_owners_do_not_meet(session):
    await activate(session, HOUSE, V1, author="me")
    await activate(session, "acme", V2, author="acme", expected=None)
    assert (await active(session), await active(session, "acme")) == (V1, V2)


async def test_a_rollback_makes_the_plan_before_decide_again(session):
    with pytest.raises(NotFound, match="no activation"):
        await roll_back(session, HOUSE, author="me")
    await activate(session, HOUSE, V1, author="me")
    with pytest.raises(NotFound, match="nothing decided before"):
        await roll_back(session, HOUSE, author="me")
    await activate(session, HOUSE, V3, author="me")
    done = await roll_back(session, HOUSE, author="me", reason="too many blocks")
    assert (done.plan, done.previous, done.reason) == (V1, V3, "too many blocks")
    assert (await roll_back(session, HOUSE, author="me")).plan == V3


async def test_a_tenant_goes_back_to_the_plan_of_the_house(session):
    await activate(session, HOUSE, V1, author="me")
    await activate(session, "acme", V1, author="acme")
    done = await roll_back(session, "acme", author="acme")
    assert (done.plan, done.previous) == (None, V1)
    assert await active(session, "acme") is None
    assert await withdraw(session, "acme", author="acme") is None, "it has none by now"
    with pytest.raises(Conflict, match="always has a plan"):
        await withdraw(session, HOUSE, author="me")
    await activate(session, "acme", V2, author="acme")
    with pytest.raises(Conflict):
        await withdraw(session, "acme", author="acme", expected=V1)
    assert await active(session, "acme") == V2


async def test_a_change_behind_the_back_of_the_history_is_not_rolled_back(session):
    await activate(session, HOUSE, V1, author="me")
    await activate(session, HOUSE, V2, author="me")
    await session.execute("UPDATE plans SET active = false WHERE active")
    with pytest.raises(NotFound, match="no activation"):
        await roll_back(session, HOUSE, author="me")


async def test_one_plan_an_owner_is_active_whoever_writes(session):
    await activate(session, HOUSE, V1, author="me")
    with pytest.raises(asyncpg.UniqueViolationError):
        await session.execute("UPDATE plans SET active = true WHERE owner = '' AND version = 2")
