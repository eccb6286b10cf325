"""Plans of tenants and of the house on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from deciding.plans.activations import history
from deciding.plans.versions import PlanId
from fraud.errors import Conflict, InvalidInput, NotFound, StoreUnavailable, Unavailable
from fraud.variant import HOUSE
from serve_app.database import open_pools
from serve_app.gateway import plans as plans_module
from serve_app.gateway.plans import Plans
from serve_app.gateway.pool import Pool
from settings.settings import Settings
from tests.contracts.fake_plans import SCHEMA, KnownModels
from tests.contracts.locks import until_waiting

HOME = "default"
LEAF: dict[str, Any] = {
    "kind": "ensemble",
    "members": [{"variant": "xgboost", "weight": 1}, {"variant": "logistic", "weight": 1}],
    "thresholds": {"challenge": 0.1, "review": 0.4, "block": 0.8},
}
DOCUMENT = {"name": "ours", **LEAF}


def split(*weights: int) -> dict[str, Any]:
    arms = [{"name": f"arm{i}", "weight": w, "plan": LEAF} for i, w in enumerate(weights)]
    return {"name": "split", "kind": "ab", "salt": "s", "arms": arms}


def owner_of(tenant: str) -> str:
    return HOUSE if tenant == HOME else tenant


class Fixture:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.models = KnownModels("xgboost", "logistic", "acme/xgboost")
        self.running: list[str] | None = ["xgboost"]
        self.trouble: Exception | None = None  # None: no answer at all
        self.plans = Plans(pool, owner_of, self.models, SCHEMA, self.pools)

    async def pools(self) -> list[Pool]:
        if self.running is None:
            if self.trouble is None:
                await asyncio.Event().wait()
            raise self.trouble or AssertionError
        return [Pool(name, "RUNNING", 1, 0, None) for name in self.running]


@pytest.fixture
async def made(database_url: str) -> AsyncIterator[Fixture]:
    settings = Settings(database_url=database_url, database_pool_size=4)  # type: ignore[arg-type]
    pool, _ = await open_pools(settings)
    await pool.execute("TRUNCATE plans, activations")
    yield Fixture(pool)
    await pool.close()


async def test_the_home_tenant_manages_the_house_and_others_their_own(made: Fixture) -> None:
    plans = made.plans
    assert await plans.deciding("acme") is None
    stored, missing = await plans.store(HOME, DOCUMENT, "key a", "first")
    assert (stored.owner, stored.version, stored.active) == (HOUSE, 1, False)
    assert missing == ("logistic",)
    done = await plans.activate(HOME, stored.id, "key a", "go")
    assert done.activation is not None
    for tenant in (HOME, "acme", "other"):
        found = await plans.deciding(tenant)
        assert found is not None
        assert found.id == stored.id
    with pytest.raises(NotFound):
        await plans.activate("acme", stored.id, "key b", "")
    own, _ = await plans.store("acme", DOCUMENT, "key b", "")
    assert (own.owner, own.version) == ("acme", 1)
    await plans.activate("acme", own.id, "key b", "")
    owners = []
    for tenant in ("acme", "other"):
        found = await plans.deciding(tenant)
        assert found is not None
        owners.append(found.owner)
    assert owners == ["acme", HOUSE]
    assert {(p.owner, p.active) for p in await plans.versions("acme", None, 9)} == {
        ("acme", True),
        (HOUSE, True),
    }
    assert [p.owner for p in await plans.versions("other", "ours", 9)] == [HOUSE]
    assert (await plans.read("acme", "ours", 1, False)).owner == "acme"
    assert (await plans.read("acme", "ours", 1, True)).owner == HOUSE
    assert (await plans.read("other", "ours", 1, False)).owner == HOUSE
    with pytest.raises(NotFound):
        await plans.read("other", "ours", 2, False)


async def test_who_stored_the_house_s_plan_and_why_is_the_home_tenant_s_alone(
    made: Fixture,
) -> None:
    plans = made.plans
    await plans.store(HOME, DOCUMENT, "key a", "fraud ring found")
    await plans.store("acme", {**DOCUMENT, "name": "own"}, "key b", "ours")

    async def seen(tenant: str, name: str) -> set[tuple[str, str]]:
        found = [
            *await plans.versions(tenant, name, 9),
            await plans.read(tenant, name, 1, False),
        ]
        assert found[-1].document["name"] == name
        return {(stored.author, stored.reason) for stored in found}

    assert await seen(HOME, "ours") == {("key a", "fraud ring found")}
    assert await seen("acme", "ours") == {("", "")}
    assert await seen("acme", "own") == {("key b", "ours")}
    assert (await plans.read("acme", "ours", 1, True)).author == ""
    with pytest.raises(NotFound):
        await plans.read(HOME, "own", 1, False)


async def test_of_activations_at_the_same_time_one_wins(made: Fixture) -> None:
    plans = made.plans
    for _ in range(5):
        await plans.store(HOME, DOCUMENT, "key a", "")
    ids = [PlanId("ours", version) for version in range(1, 6)]
    await plans.activate(HOME, ids[0], "key a", "")
    seen = ids[0]
    for _ in range(5):
        calls = [plans.activate(HOME, i, "key a", "", seen) for i in ids if i != seen]
        results = await asyncio.gather(*calls, return_exceptions=True)
        won = [r for r in results if not isinstance(r, BaseException)]
        assert [type(r) for r in results if isinstance(r, BaseException)] == [Conflict] * 3
        assert len(won) == 1
        assert won[0].activation is not None
        assert won[0].activation.plan is not None
        seen = won[0].activation.plan
    entries = await history(made.pool, HOUSE)
    assert len(entries) == 6
    assert all(new.previous == old.plan for new, old in pairwise(entries))


async def test_without_an_expectation_calls_that_saw_the_same_plan_do_not_both_win(
    made: Fixture,
) -> None:
    for _ in range(3):
        await made.plans.store(HOME, DOCUMENT, "key a", "")
    await made.plans.activate(HOME, PlanId("ours", 1), "key a", "")
    holder = await made.pool.acquire()
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT pg_advisory_xact_lock(hashtext('quorum.plans'))")
    calls = [
        asyncio.create_task(made.plans.activate(HOME, PlanId("ours", version), "key a", ""))
        for version in (2, 3)
    ]
    await until_waiting(holder, 2)
    await transaction.rollback()
    await made.pool.release(holder)
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Activated", "Conflict"]


async def test_a_faulty_plan_is_not_stored(made: Fixture) -> None:
    for document in (
        {**DOCUMENT, "kind": "odd"},
        {**DOCUMENT, "members": [{"variant": "nobody", "weight": 1}]},
        {**DOCUMENT, "members": [{"variant": "acme/xgboost", "weight": 1}]},
        {**DOCUMENT, "name": "active"},
        split(50, 51),
    ):
        with pytest.raises(InvalidInput):
            await made.plans.store(HOME, document, "key a", "")
    assert await made.pool.fetchval("SELECT count(*) FROM plans") == 0
    own = {**DOCUMENT, "members": [{"variant": "acme/xgboost", "weight": 1}]}
    await made.plans.store("acme", own, "key b", "")


async def test_a_plan_whose_model_is_gone_or_that_cannot_be_read_is_not_activated(
    made: Fixture,
) -> None:
    stored, _ = await made.plans.store(HOME, DOCUMENT, "key a", "")
    made.models.names.remove("logistic")
    with pytest.raises(InvalidInput) as caught:
        await made.plans.activate(HOME, stored.id, "key a", "")
    assert [pointer for pointer, *_ in caught.value.errors] == ["/members/1/variant"]
    await made.pool.execute("UPDATE plans SET document = '{\"a\": 1}'")
    with pytest.raises(InvalidInput):
        await made.plans.activate(HOME, stored.id, "key a", "")
    assert await made.plans.deciding(HOME) is None


async def test_an_active_document_that_cannot_be_read_is_said_to_be_so(made: Fixture) -> None:
    stored, _ = await made.plans.store(HOME, DOCUMENT, "key a", "")
    await made.plans.activate(HOME, stored.id, "key a", "")
    await made.pool.execute("UPDATE plans SET document = '{\"a\": 1}'")
    with pytest.raises(Unavailable, match="cannot be read"):
        await made.plans.deciding(HOME)
    again, _ = await made.plans.store(HOME, DOCUMENT, "key a", "")
    await made.plans.activate(HOME, again.id, "key a", "mended")
    assert (await made.plans.deciding(HOME)) is not None


async def test_a_change_of_weights_moves_only_what_it_must(made: Fixture) -> None:
    def slots(document: Any) -> list[set[int]]:
        ranges = [arm["slots"] for arm in document["arms"]]
        return [{slot for a, b in each for slot in range(a, b)} for each in ranges]

    first, _ = await made.plans.store(HOME, split(90, 10), "key a", "")
    second, _ = await made.plans.store(HOME, split(80, 20), "key a", "")
    before, after = slots(first.document), slots(second.document)
    assert [len(each) for each in after] == [8000, 2000]
    assert before[1] < after[1]
    assert after[0] < before[0]
    shown = {**second.document, "arms": [dict(arm) for arm in second.document["arms"]]}
    for arm, weight in zip(shown["arms"], (85, 15), strict=True):
        arm["weight"] = weight  # as a person would edit it: the slots are left as they were
    third, _ = await made.plans.store(HOME, shown, "key a", "")
    last = slots(third.document)
    assert len(last[1]) == 1500
    assert last[1] < after[1]


@pytest.mark.parametrize("trouble", [Unavailable("Serve does not answer"), OSError("gone"), None])
async def test_a_cluster_that_does_not_answer_hinders_no_plan(
    made: Fixture, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
) -> None:
    monkeypatch.setattr(plans_module, "POOLS_S", 0.05)
    made.running, made.trouble = None, trouble
    stored, missing = await made.plans.store(HOME, DOCUMENT, "key a", "")
    assert missing == ()
    assert (await made.plans.activate(HOME, stored.id, "key a", "")).missing == ()


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    pool, _ = await open_pools(Settings(database_url=url))  # type: ignore[arg-type]
    plans = Fixture(pool).plans
    for call in (
        plans.deciding(HOME),
        plans.versions(HOME, None, 1),
        plans.read(HOME, "a", 1, False),
        plans.store(HOME, DOCUMENT, "key a", ""),
        plans.activate(HOME, PlanId("a", 1), "key a", ""),
    ):
        with pytest.raises(StoreUnavailable):
            await call
    pool.terminate()
