"""Plans change while decisions are made, and stay when they cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from deciding.plans.active import PlanFeed
from deciding.plans.local_copy import LocalCopy
from deciding.plans.reader import ActiveRow
from fraud.ensemble import Member
from fraud.errors import StoreUnavailable
from fraud.plan import Plan
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN
from tests.contracts.waiting import until

NEWER = replace(PLAN, version=PLAN.version + 1)
ACMES = replace(PLAN, name="acmes", version=7)
DOWN = StoreUnavailable("down")
NOT_A_PLAN = '{"a": 1}'


class Table:
    """The active plans, as `PlanReader.changes` returns them. A plan may be text."""

    def __init__(self, **plans: Plan | str) -> None:
        self.error: Exception | None = None
        self.documents: dict[str, str] = {}
        self.writes = 0
        self.revisions: dict[str, str] = {}
        self.returned: list[int] = []
        for owner, plan in plans.items():
            self.put(HOUSE if owner == "house" else owner, plan)

    def put(self, owner: str, plan: Plan | str | None) -> None:
        if plan is None:
            del self.documents[owner], self.revisions[owner]
            return
        self.writes += 1
        self.revisions[owner] = str(self.writes)
        self.documents[owner] = plan if isinstance(plan, str) else plan.to_json()

    async def changes(self, known: Mapping[str, str]) -> list[ActiveRow]:
        if self.error is not None:
            raise self.error
        rows = [
            ActiveRow(owner, self.revisions.get(owner), self.documents.get(owner))
            for owner in {**known, **self.revisions}
            if self.revisions.get(owner) != known.get(owner)
        ]
        self.returned.append(len(rows))
        return rows


def deciding(feed: PlanFeed, tenant: str = "any") -> tuple[str, int, bool] | None:
    active = feed.current_for(tenant)
    return None if active is None else (active.plan.name, active.plan.version, active.is_local)


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)


async def test_a_tenant_without_a_plan_is_decided_by_the_house():
    feed = PlanFeed(Table(house=PLAN, acme=ACMES).changes)
    await feed.refresh()
    assert feed.current_for("acme").plan == ACMES
    assert feed.current_for("other").plan == feed.current.plan == PLAN
    assert set(feed.variants) == set(PLAN.variants)


async def test_the_variants_of_all_plans_are_wanted():
    alone = replace(PLAN.ensemble, kind="single", members=(Member("acmes", 1.0),), anomaly=None)
    own = replace(PLAN, name="own", policy=alone)
    feed = PlanFeed(Table(house=PLAN, acme=own).changes)
    await feed.refresh()
    assert set(feed.variants) == {*PLAN.variants, "acmes"}


async def test_the_home_tenant_is_decided_by_the_house_whatever_the_table_says():
    feed = PlanFeed(Table(house=PLAN, acme=ACMES).changes, home="acme")
    await feed.refresh()
    assert feed.current_for("acme").plan == PLAN
    await feed.refresh()
    assert feed.current_for("acme").plan == PLAN


async def test_a_tenant_whose_plan_is_withdrawn_goes_back_to_the_house():
    table = Table(house=PLAN, acme=ACMES)
    feed = PlanFeed(table.changes)
    await feed.refresh()
    table.put("acme", None)
    await feed.refresh()
    assert feed.current_for("acme").plan == PLAN


async def test_the_last_plan_of_the_house_decides_on_without_an_active_one():
    table = Table(house=PLAN)
    feed = PlanFeed(table.changes)
    await feed.refresh()
    first = feed.current
    table.put(HOUSE, None)
    errors = metric("fraud_plan_errors_total")
    for _ in range(2):
        await feed.refresh()
    assert feed.current is first
    assert metric("fraud_plan_errors_total") == errors + 2, "at every read, so that an alert lasts"


async def test_an_outage_keeps_every_plan():
    table = Table(house=PLAN, acme=ACMES)
    feed = PlanFeed(table.changes)
    await feed.refresh()
    before = feed.active
    table.error = DOWN
    await feed.refresh()
    assert feed.active is before


async def test_a_document_that_cannot_be_read_stops_only_its_owner(caplog):
    table = Table(house=PLAN, acme=ACMES, other=replace(PLAN, name="others"))
    feed = PlanFeed(table.changes)
    await feed.refresh()
    table.put("acme", NOT_A_PLAN)
    table.put(HOUSE, NEWER)
    caplog.clear()
    for _ in range(3):
        await feed.refresh()
    assert deciding(feed, "acme") == ("acmes", 7, False)
    assert deciding(feed) == (NEWER.name, NEWER.version, False)
    assert metric("fraud_plan_unreadable") == 1
    said = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert len(said) == 1, "an outage of an hour is one line"
    assert "tenant acme's active plan cannot be read" in said[0]
    table.put("acme", replace(ACMES, version=8))
    await feed.refresh()
    assert deciding(feed, "acme") == ("acmes", 8, False)
    assert metric("fraud_plan_unreadable") == 0


async def test_a_first_document_that_cannot_be_read_leaves_the_tenant_to_the_house():
    feed = PlanFeed(Table(house=PLAN, acme=NOT_A_PLAN).changes)
    await feed.refresh()
    assert deciding(feed, "acme") == deciding(feed)


async def test_nothing_decides_until_the_house_has_a_plan():
    table = Table()
    feed = PlanFeed(table.changes)
    await feed.refresh()
    assert feed.current is None
    table.put(HOUSE, PLAN)
    await feed.refresh()
    assert feed.current.plan == PLAN


async def test_a_new_version_takes_over_by_itself():
    table = Table(house=PLAN)
    feed = PlanFeed(table.changes, interval_s=0.01)
    await feed.start()
    table.put(HOUSE, NEWER)
    await until(lambda: feed.current.plan == NEWER)
    assert feed.alive
    await feed.close()
    assert not feed.alive


async def test_a_feed_that_is_woken_reads_at_once():
    table = Table(house=PLAN)
    feed = PlanFeed(table.changes, interval_s=600)
    await feed.start()
    table.put(HOUSE, NEWER)
    feed.wake()
    await until(lambda: feed.current.plan == NEWER)
    await feed.close()


async def test_an_unchanged_plan_is_neither_read_nor_built_again():
    table = Table(house=PLAN)
    feed = PlanFeed(table.changes)
    await feed.refresh()
    first = feed.current
    await feed.refresh()
    table.put(HOUSE, PLAN)
    await feed.refresh()
    assert feed.current is first
    assert table.returned == [1, 0, 1]


async def test_the_version_of_the_house_is_a_metric_and_tenants_names_are_not():
    table = Table(house=replace(PLAN, name="before", version=4), acme=ACMES)
    feed = PlanFeed(table.changes)
    await feed.refresh()
    assert REGISTRY.get_sample_value("fraud_plan_version", {"plan": "before"}) == 4
    table.put(HOUSE, replace(PLAN, name="after", version=5))
    await feed.refresh()
    assert REGISTRY.get_sample_value("fraud_plan_version", {"plan": "before"}) == 0
    assert REGISTRY.get_sample_value("fraud_plan_version", {"plan": "after"}) == 5
    assert REGISTRY.get_sample_value("fraud_plan_version", {"plan": "acmes"}) is None
    assert metric("fraud_plan_owners") == 2


async def started(copy: LocalCopy, table: Table) -> PlanFeed:
    feed = PlanFeed(table.changes, 60, copy)
    await feed.start()
    await feed.close()
    return feed


async def test_a_table_that_does_not_answer_at_the_start_leaves_the_local_copy(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    table = Table(house=PLAN, acme=ACMES)
    assert deciding(await started(copy, table)) == (PLAN.name, PLAN.version, False)
    table.error = DOWN
    feed = await started(copy, table)
    assert deciding(feed) == (PLAN.name, PLAN.version, True)
    assert deciding(feed, "acme") == ("acmes", 7, True)
    assert metric("fraud_plan_kept") == 1
    await feed.refresh()
    assert deciding(feed) == (PLAN.name, PLAN.version, True)
    table.error = None
    table.put(HOUSE, NEWER)
    await feed.refresh()
    assert deciding(feed) == (NEWER.name, NEWER.version, False), "once it answers, it rules"
    assert deciding(feed, "acme") == ("acmes", 7, False)
    assert metric("fraud_plan_kept") == 0
    assert copy.load() == {HOUSE: NEWER, "acme": ACMES}


async def test_an_unreadable_document_at_the_start_leaves_the_local_copy_of_its_owner(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save({HOUSE: PLAN, "acme": ACMES})
    table = Table(house=NOT_A_PLAN, acme=replace(ACMES, version=8))
    feed = await started(copy, table)
    assert deciding(feed) == (PLAN.name, PLAN.version, True)
    assert deciding(feed, "acme") == ("acmes", 8, False)
    await feed.refresh()
    assert deciding(feed) == (PLAN.name, PLAN.version, True)
    table.put(HOUSE, NEWER)
    await feed.refresh()
    assert deciding(feed) == (NEWER.name, NEWER.version, False)


async def test_a_table_without_a_plan_overrides_the_local_copy(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save({HOUSE: PLAN, "acme": ACMES})
    table = Table()
    table.error = DOWN
    feed = await started(copy, table)
    table.error = None
    await feed.refresh()
    assert (feed.current, feed.current_for("acme")) == (None, None)
    assert (await started(copy, Table())).current is None


@pytest.mark.parametrize("is_blocked", [False, True])
async def test_plans_that_cannot_be_copied_still_decide(tmp_path, is_blocked):
    nowhere = LocalCopy(tmp_path / "file" / "plan.json")
    table = Table(house=PLAN)
    if is_blocked:
        (tmp_path / "file").write_text("no folder")
        assert (await started(nowhere, table)).current.plan == PLAN
    table.error = DOWN
    assert (await started(nowhere, table)).current is None


async def test_looking_up_a_plan_does_not_depend_on_the_number_of_owners():
    table = Table(house=PLAN, **{f"t{i}": replace(ACMES, name=f"p{i}") for i in range(300)})
    feed = PlanFeed(table.changes)
    await feed.refresh()
    assert {feed.current_for(f"t{i}").plan.name for i in range(300)} == {
        f"p{i}" for i in range(300)
    }
    assert await asyncio.wait_for(table.changes(feed._revisions), 1) == []
