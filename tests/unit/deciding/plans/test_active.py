"""The plan changes while decisions are made, and stays when it cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from deciding.plans.active import PlanFeed
from deciding.plans.local_copy import LocalCopy
from fraud.errors import StoreUnavailable
from tests.contracts.decisions import PLAN
from tests.contracts.waiting import until


class Source:
    def __init__(self, *answers):
        self.answers = list(answers)

    async def __call__(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("trouble", [None, StoreUnavailable("down"), ValueError("not a plan")])
async def test_trouble_keeps_the_last_plan(trouble):
    feed = PlanFeed(Source(PLAN, trouble))
    await feed.refresh()
    first = feed.current
    await feed.refresh()
    assert feed.current is first
    assert first.plan == PLAN


@pytest.mark.parametrize("trouble", [None, StoreUnavailable("down")])
async def test_trouble_from_the_start_is_no_plan_until_there_is_one(trouble):
    feed = PlanFeed(Source(trouble, PLAN))
    await feed.refresh()
    assert feed.current is None
    await feed.refresh()
    assert feed.current.plan == PLAN


async def test_a_new_version_takes_over_by_itself():
    newer = replace(PLAN, version=PLAN.version + 1)
    feed = PlanFeed(Source(PLAN, newer), interval_s=0.01)
    await feed.start()
    await until(lambda: feed.current.plan == newer)
    assert feed.alive
    await feed.close()
    assert not feed.alive


async def test_an_unchanged_plan_is_not_built_again():
    feed = PlanFeed(Source(PLAN, replace(PLAN)))
    await feed.refresh()
    first = feed.current
    await feed.refresh()
    assert feed.current is first


async def started(copy, *answers):
    feed = PlanFeed(Source(*answers), 60, copy)
    await feed.start()
    await feed.close()
    return feed


async def test_a_table_that_does_not_answer_at_the_start_leaves_the_local_copy(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    feed = await started(copy, PLAN)
    assert not feed.current.is_local
    newer = replace(PLAN, version=PLAN.version + 1)
    feed = await started(copy, StoreUnavailable("down"), StoreUnavailable("down"), newer)
    assert (feed.current.plan, feed.current.is_local) == (PLAN, True)
    assert REGISTRY.get_sample_value("fraud_plan_kept") == 1
    await feed.refresh()
    assert (feed.current.plan, feed.current.is_local) == (PLAN, True)
    await feed.refresh()
    assert (feed.current.plan, feed.current.is_local) == (newer, False), "once it answers, it rules"
    assert REGISTRY.get_sample_value("fraud_plan_kept") == 0
    assert copy.load() == newer


async def test_the_table_confirms_the_local_copy(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save(PLAN)
    feed = await started(copy, StoreUnavailable("down"), PLAN)
    await feed.refresh()
    assert (feed.current.plan, feed.current.is_local) == (PLAN, False)


async def test_a_table_without_a_plan_overrides_the_local_copy(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save(PLAN)
    feed = await started(copy, StoreUnavailable("down"), None)
    await feed.refresh()
    assert feed.current is None
    assert (await started(copy, None)).current is None


async def test_a_plan_that_cannot_be_copied_still_decides(tmp_path):
    nowhere = LocalCopy(tmp_path / "file" / "plan.json")
    assert (await started(nowhere, StoreUnavailable("down"))).current is None
    (tmp_path / "file").write_text("no folder")
    assert (await started(nowhere, PLAN)).current.plan == PLAN
    assert (await started(nowhere, StoreUnavailable("down"))).current is None
