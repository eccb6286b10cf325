"""The plan changes while decisions are made, and stays when it cannot be read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from deployments.plans import PlanFeed
from fraud.errors import StoreUnavailable
from tests.contracts.decisions import PLAN


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
    for _ in range(500):
        if feed.current.plan == newer:
            break
        await asyncio.sleep(0.01)
    assert feed.current.plan == newer
    assert feed.alive
    await feed.close()
    assert not feed.alive


async def test_an_unchanged_plan_is_not_built_again():
    feed = PlanFeed(Source(PLAN, replace(PLAN)))
    await feed.refresh()
    first = feed.current
    await feed.refresh()
    assert feed.current is first
