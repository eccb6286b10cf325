"""What a combiner says of itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from deployments.audit import Lag
from deployments.combiner import Combiner
from deployments.plans import ActivePlan
from fraud.policy.choice import policy_of
from tests.contracts.decisions import PLAN


async def answering() -> None:
    pass


def combiner(active):
    return SimpleNamespace(
        _feed=SimpleNamespace(current=active),
        _log=SimpleNamespace(lag=lambda: Lag(0, 0, 0.0, True, True, None)),
        _pools=SimpleNamespace(missing=()),
        _features_ready=answering,
    )


async def test_without_a_plan_it_is_not_ready():
    said = await Combiner.func_or_class.ready(combiner(None))
    assert (said.ready, said.problems) == (False, ("no plan has been loaded",))
    assert (said.plan, said.plan_version, said.plan_kept) == ("", 0, False)


@pytest.mark.parametrize("kept", [False, True])
async def test_it_says_whether_its_plan_is_the_one_that_was_kept(kept):
    said = await Combiner.func_or_class.ready(combiner(ActivePlan(PLAN, policy_of(PLAN), kept)))
    assert said.ready
    assert (said.plan, said.plan_version, said.plan_kept) == (PLAN.name, PLAN.version, kept)
