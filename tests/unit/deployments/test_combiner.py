"""The readiness of a combiner."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from deciding.plans.active import ActivePlan
from decision_log.lag import Lag
from deployments.combiner import _CLOSED_IN_ORDER, Combiner, _database_wait_s
from settings.settings import Settings
from tests.contracts.decisions import PLAN


async def answering() -> None:
    pass


def combiner(active, trouble=None, exposed=None):
    return SimpleNamespace(
        _feed=SimpleNamespace(current=active),
        _log=SimpleNamespace(lag=lambda: Lag(9, 7, 0, 0.0, True, True, None, exposed)),
        _pools=SimpleNamespace(missing=()),
        _features_ready=answering,
        _reader=SimpleNamespace(trouble=trouble),
    )


async def test_a_store_that_accepts_no_writes_is_reported_but_decisions_go_on():
    active = ActivePlan(PLAN)
    said = await Combiner.func_or_class.ready(combiner(active, "PostgreSQL accepts no writes"))
    assert (said.ready, said.troubles) == (True, ("PostgreSQL accepts no writes",))


async def test_records_on_one_disk_are_reported_but_decisions_go_on():
    said = await Combiner.func_or_class.ready(combiner(ActivePlan(PLAN), exposed="it is away"))
    told = "7 records are on this machine's disk alone: it is away"
    assert (said.ready, said.troubles) == (True, (told,))


@pytest.mark.parametrize(
    ("durability", "timeout_ms", "wait_s"),
    [("disk", 2000, 0.0), ("database", 2000, 0.5), ("database", 400, 0.1), ("database", 9999, 0.5)],
)
def test_an_answer_waits_for_postgres_within_its_request(durability, timeout_ms, wait_s):
    settings = Settings(log_durability=durability, request_timeout_ms=timeout_ms)
    assert _database_wait_s(settings) == wait_s


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
