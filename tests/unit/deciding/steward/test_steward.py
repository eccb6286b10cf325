"""What a steward does, look by look."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace

import pytest

from deciding.steward.steward import CANARY_RAMP, GUARD_RAIL
from fraud.errors import Unavailable
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.canary import Advance, Canary
from fraud.policy.guard import Guard
from telemetry import metrics
from tests.contracts.plans import leaf
from tests.contracts.stewardship import World

GUARD = Guard(max_error_rate=0.1, block_rate=(0.0, 0.2), min_decisions=100)
SPLIT = AB((Arm("old", 90, leaf("xgboost")), Arm("new", 10, leaf("logistic"))), guard=GUARD)
RAMP = Canary(leaf("xgboost"), leaf("logistic"), advance=Advance(after_minutes=30), guard=GUARD)


def taken(plan: str, arm: str, band: str = "block_rate") -> float:
    return float(metrics.PLAN_GUARD_RAIL.labels(plan, arm, band)._value.get())


def share(plan: str, arm: str = "canary") -> float:
    return float(metrics.CANARY_SHARE.labels(plan, arm)._value.get())


async def test_an_arm_that_leaves_its_band_is_taken_out(caplog: pytest.LogCaptureFixture):
    world = World(house=Plan("one", 3, SPLIT))
    world.do("one", 3, "old", blocks=10)
    world.do("one", 3, "new", blocks=300)
    with caplog.at_level(logging.WARNING):
        (plan,) = await world.steward.look()
    assert plan == world.active[""]
    assert (plan.version, [arm.weight for arm in plan.policy.arms]) == (4, [100, 0])
    ((owner, author, reason, _),) = world.stored
    assert (owner, author) == ("", GUARD_RAIL)
    assert reason.startswith("new: 60 % of 500 decisions are blocked")
    assert taken("one", "new") == 1
    assert [r.getMessage() for r in caplog.records] == [f"plan one version 4: {reason}"]
    # Nothing is left to look at, before and after the process has heard of it.
    assert await world.steward.look() == []
    world.pass_time(seconds=5)
    assert await world.steward.look() == []
    assert not world.steward.has_work
    assert math.isnan(metrics.ARM_BLOCK_RATE.labels("one", "new")._value.get())


async def test_figures_of_arms_are_shown_and_their_parts_added_up():
    world = World(house=Plan("shown", 3, SPLIT))
    world.do("shown", 3, "old", decisions=100, blocks=10)
    world.do("shown", 3, "new > stage 1", decisions=60, errors=6)
    world.do("shown", 3, "new > stage 2", decisions=20, blocks=4)
    world.do("shown", 3, "newer", decisions=20, blocks=20)
    assert await world.steward.look() == []
    shown = [
        metric.labels("shown", "new")._value.get()
        for metric in (metrics.ARM_ERROR_RATE, metrics.ARM_BLOCK_RATE)
    ]
    assert shown == [6 / 80, 4 / 80]


async def test_a_control_that_leaves_its_band_is_reported_once(caplog: pytest.LogCaptureFixture):
    world = World(house=Plan("control", 3, SPLIT))
    world.do("control", 3, "old", blocks=300)
    world.do("control", 3, "new", blocks=10)
    for _ in range(3):
        assert await world.steward.look() == []
    assert world.stored == []
    assert taken("control", "old") == 1
    assert [r.getMessage() for r in caplog.records] == [
        "plan control: old: 60 % of 500 decisions are blocked, and 0 % to 20 % should be;"
        " it is the control and stays"
    ]


async def test_what_an_operator_changed_meanwhile_stays():
    world = World(house=Plan("raced", 3, SPLIT))
    world.do("raced", 3, "new", blocks=300)
    theirs = Plan("raced", 4, replace(SPLIT, salt="theirs"))
    world.take("", theirs)
    assert await world.steward.look() == []
    assert world.wanted == [], "what another plan did is of no interest"
    # They are quicker between the look and the change.
    world.active[""] = world.seen[""]
    seen = world.counts

    async def and_then_they_act(*args):
        world.active[""] = theirs
        return await seen(*args)

    world.counts = and_then_they_act
    assert await world.steward.look() == []
    assert (world.active[""], world.stored) == (theirs, [])
    assert taken("raced", "new") == 0


async def test_a_canary_goes_up_by_time_and_stays_at_the_top(caplog: pytest.LogCaptureFixture):
    world = World(house=Plan("ramp", 1, RAMP))
    seen = []
    for version in range(1, 6):
        world.do("ramp", version, "canary")
        world.pass_time(minutes=28)
        assert await world.steward.look() == [], "not yet"
        seen.append(round(share("ramp"), 2))
        world.pass_time(minutes=2)
        await world.steward.look()
    assert seen == [0.01, 0.05, 0.25, 0.5, 1.0]
    assert [(author, reason) for _, author, reason, _ in world.stored][:2] == [
        (CANARY_RAMP, "canary: step 2 of 5: 1 % -> 5 %, after 30 min"),
        (CANARY_RAMP, "canary: step 3 of 5: 5 % -> 25 %, after 30 min"),
    ]
    world.pass_time(days=3)
    assert await world.steward.look() == []
    ends = [r.getMessage() for r in caplog.records if "last step" in r.getMessage()]
    assert ends == ["plan ramp: canary is at its last step, 100 %: apply its plan as the baseline"]
    assert len(world.stored) == 4


async def test_a_canary_stops_when_it_leaves_its_band_and_does_not_start_again():
    world = World(house=Plan("stopped", 1, replace(RAMP, step=2)))
    world.do("stopped", 1, "baseline", blocks=300)
    world.do("stopped", 1, "canary", errors=51)
    world.pass_time(hours=1)
    (plan,) = await world.steward.look()
    assert plan.policy.step is None
    assert world.stored[0][1] == GUARD_RAIL
    assert taken("stopped", "canary", "error_rate") == 1
    world.do("stopped", 2, "baseline")
    for _ in range(3):
        world.pass_time(hours=1)
        assert await world.steward.look() == []
    assert share("stopped") == 0


async def test_a_canary_that_decides_nothing_does_not_go_up():
    world = World(house=Plan("idle", 1, RAMP))
    world.do("idle", 1, "baseline", decisions=10_000)
    world.do("idle", 1, "canary", decisions=99)
    world.pass_time(days=1)
    assert await world.steward.look() == []


async def test_a_canary_waits_for_its_report_which_is_made_now_and_then():
    world = World(house=Plan("report", 1, replace(RAMP, advance=Advance(on_promote=True))))
    world.do("report", 1, "canary")
    world.report = "not yet"
    for _ in range(100):
        world.pass_time(seconds=5)
        assert await world.steward.look() == []
        await asyncio.sleep(0)
    assert world.reports == [("", "report", "canary")]
    world.report = "promote"
    world.pass_time(minutes=2)
    assert await world.steward.look() == [], "the report is being made"
    await asyncio.sleep(0)
    world.pass_time(seconds=5)
    (plan,) = await world.steward.look()
    assert plan.policy.step == 1
    assert world.stored[0][2].endswith("as its report recommends to promote it")
    # The next step needs its own decisions before another report is made.
    world.pass_time(minutes=30)
    assert await world.steward.look() == []
    assert len(world.reports) == 2


async def test_guard_rails_hold_while_a_report_is_made_and_it_is_given_up_with_its_plan():
    world = World(house=Plan("long", 1, replace(RAMP, advance=Advance(on_promote=True))))
    world.do("long", 1, "canary")
    given_up = []

    async def takes_for_ever() -> str | None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append(True)
            raise

    world.steward._recommend = lambda *_: takes_for_ever()
    assert await world.steward.look() == []
    await asyncio.sleep(0)
    world.do("long", 1, "canary", errors=400)
    (plan,) = await world.steward.look()
    assert plan.policy.step is None
    world.pass_time(seconds=5)
    assert await world.steward.look() == []
    await asyncio.sleep(0)
    assert given_up == [True]


async def test_a_report_that_fails_is_made_again_later():
    world = World(house=Plan("failed", 1, replace(RAMP, advance=Advance(on_promote=True))))
    world.do("failed", 1, "canary")
    tries = []

    async def fails() -> str | None:
        tries.append(world.now)
        raise Unavailable("it took too long")

    world.steward._recommend = lambda *_: fails()
    assert await world.steward.look() == []
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await world.steward.look()
    assert await world.steward.look() == []
    world.pass_time(minutes=10)
    assert await world.steward.look() == []
    await asyncio.sleep(0)
    assert len(tries) == 2
    await world.steward.close()


async def test_a_tenant_s_plan_counts_its_own_payments_and_the_house_s_all_others():
    own = Plan("one", 3, RAMP)
    world = World(house=Plan("one", 3, SPLIT), acme=own)
    world.do("one", 3, "new", blocks=300)
    world.do("one", 3, "canary")
    await world.steward.look()
    assert {(w.plan, w.tenants) for w in world.wanted} == {
        ("one", ("default",)),
        ("one", ("acme",)),
    }
    assert world.active["acme"] == own
    assert world.active[""].version == 4
    assert share("acme/one") == 0.01


async def test_only_decisions_since_the_activation_within_the_window_count():
    guard = replace(GUARD, window_minutes=3)
    world = World(house=Plan("window", 3, replace(SPLIT, guard=guard)))
    world.take("", world.active[""])
    await world.steward.look()
    (wanted,) = set(world.wanted)
    assert (wanted.since, wanted.window_s) == (world.now, 180)
    assert wanted in world.kept


async def test_one_plan_that_fails_leaves_the_others_their_guard_rails():
    world = World(acme=Plan("bad", 1, SPLIT), house=Plan("good", 3, SPLIT))
    world.do("good", 3, "new", blocks=300)
    good = world.counts

    async def fails(wanted, now):
        if wanted.plan == "bad":
            raise ZeroDivisionError
        return await good(wanted, now)

    world.counts = fails
    with pytest.raises(ZeroDivisionError):
        await world.steward.look()
    assert world.active[""].version == 4


async def test_without_splits_nothing_is_read():
    world = World(house=Plan("plain", 1, leaf("xgboost")))
    assert not world.steward.has_work
    assert await world.steward.look() == []
    assert world.wanted == []
