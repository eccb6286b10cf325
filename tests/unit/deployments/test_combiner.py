"""The readiness of a combiner."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from deciding.plans.active import ActivePlan
from decision_log.lag import Lag
from deployments.combiner import _CLOSED_IN_ORDER, Combiner
from tests.contracts.decisions import PLAN


async def answering() -> None:
    pass


def combiner(active, trouble=None):
    return SimpleNamespace(
        _feed=SimpleNamespace(current=active),
        _log=SimpleNamespace(lag=lambda: Lag(0, 0, 0.0, True, True, None)),
        _pools=SimpleNamespace(missing=()),
        _features_ready=answering,
        _reader=SimpleNamespace(trouble=trouble),
    )


async def test_a_store_that_accepts_no_writes_is_reported_but_decisions_go_on():
    active = ActivePlan(PLAN)
    said = await Combiner.func_or_class.ready(combiner(active, "PostgreSQL accepts no writes"))
    assert (said.ready, said.troubles) == (True, ("PostgreSQL accepts no writes",))


async def test_without_a_plan_it_is_not_ready():
    said = await Combiner.func_or_class.ready(combiner(None))
    assert (said.ready, said.problems) == (False, ("no plan has been loaded",))
    assert (said.plan, said.plan_version, said.plan_kept) == ("", 0, False)


@pytest.mark.parametrize("kept", [False, True])
async def test_it_reports_whether_its_plan_is_the_kept_copy(kept):
    said = await Combiner.func_or_class.ready(combiner(ActivePlan(PLAN, kept)))
    assert said.ready
    assert (said.plan, said.plan_version, said.plan_kept) == (PLAN.name, PLAN.version, kept)


def test_what_is_closed_at_the_end_is_what_the_constructor_makes():
    source = inspect.getsource(Combiner.func_or_class.__init__)
    assert [name for name in _CLOSED_IN_ORDER if f"self.{name} = " not in source] == []
