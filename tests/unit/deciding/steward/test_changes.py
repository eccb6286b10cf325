"""Changes of plans by a steward: which arms go, which canaries step, and what stays as it was."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from deciding.steward.changes import (
    Side,
    breaches,
    canaries,
    changed,
    next_steps,
    sides,
    taken_out,
)
from fraud.ensemble import Thresholds
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.canary import Advance, Canary
from fraud.policy.guard import Guard
from fraud.policy.health import Health
from fraud.policy.interface import Policy
from fraud.policy.named import Named
from fraud.policy.segments import Condition, Segment, Segments
from fraud.policy.shadow import Shadow, ShadowPolicy
from tests.contracts.plans import leaf

GUARD = Guard(max_error_rate=0.1, block_rate=(0.0, 0.2), min_decisions=100)
WELL, BLOCKING, FEW = Health(500, 0, 10, 5.0), Health(500, 0, 400, 5.0), Health(99, 99, 99, 5.0)
AGES = timedelta(days=1)


def ab(guard: Guard | None = GUARD) -> AB:
    arms = (Arm("old", 80, leaf("xgboost")), Arm("new", 15, leaf("logistic")))
    return AB((*arms, Arm("third", 5, leaf("random-forest"))), salt="s", guard=guard)


def canary(step: int | None = 1, **fields) -> Canary:
    fields = {"advance": Advance(after_minutes=60), "guard": GUARD} | fields
    return Canary(leaf("xgboost"), leaf("logistic"), step=step, **fields)


def plan(policy: Policy) -> Plan:
    return Plan("split", 7, policy)


def healths(of: Plan, **ill: Health) -> dict[Side, Health]:
    """Health of every side: well, unless it is named."""
    return {side: ill.get(side.name, WELL) for side in sides(of)}


def no_report(side: Side) -> bool:
    raise AssertionError("nobody asks for a report")


def stepped(of: Plan, age: timedelta = AGES, promoted=no_report, **ill: Health) -> Plan | None:
    changes = next_steps(healths(of, **ill), age, promoted)
    return changed(of, changes) if changes else None


def test_only_splits_that_can_change_are_looked_at():
    assert sides(plan(leaf("xgboost"))) == ()
    assert sides(plan(ab(guard=None))) == ()
    assert [(s.arm, s.is_control, s.share) for s in sides(plan(ab()))] == [
        *(("old", True, 80), ("new", False, 15), ("third", False, 5))
    ]
    assert [s.arm for s in sides(plan(canary()))] == ["baseline", "canary"]
    assert [s.arm for s in sides(plan(canary(step=4)))] == ["canary"]
    assert sides(plan(canary(step=None))) == ()
    assert [s.share for s in canaries(plan(canary(step=None)))] == [0.0]


def test_the_customers_of_an_arm_that_is_taken_out_go_to_the_control():
    before = plan(ab())
    changes = taken_out(breaches(healths(before, new=BLOCKING)))
    assert [(c.side.name, c.band) for c in changes] == [("new", "block_rate")]
    assert changes[0].reason == (
        "new: 80 % of 500 decisions are blocked, and 0 % to 20 % should be; its customers go to old"
    )
    after = changed(before, changes).policy
    assert isinstance(after, AB)
    assert [arm.weight for arm in after.arms] == [95, 0, 5]
    moved = np.flatnonzero(after._arm_of != before.policy._arm_of)
    assert len(moved) == 1_500
    assert (before.policy._arm_of[moved] == 1).all()
    assert sides(changed(before, changes))[-1].arm == "third"


def test_weights_stay_weights_of_two_decimals():
    arms = (Arm("old", 33.34, leaf("xgboost")), Arm("new", 33.33, leaf("logistic")))
    before = plan(AB((*arms, Arm("third", 33.33, leaf("random-forest"))), guard=GUARD))
    after = changed(before, taken_out(breaches(healths(before, new=BLOCKING))))
    assert [arm.weight for arm in after.policy.arms] == [66.67, 0, 33.33]


def test_several_arms_go_at_once():
    before = plan(ab())
    changes = taken_out(breaches(healths(before, new=BLOCKING, third=BLOCKING)))
    after = changed(before, changes)
    assert [arm.weight for arm in after.policy.arms] == [100, 0, 0]
    assert sides(after) == ()


@pytest.mark.parametrize("health", [WELL, FEW])
def test_an_arm_that_is_well_or_has_decided_too_little_stays(health: Health):
    assert breaches(healths(plan(ab()), new=health)) == []


def test_a_control_is_never_taken_out():
    for before, control in ((plan(ab()), "old"), (plan(canary()), "baseline")):
        found = breaches(healths(before, **{control: BLOCKING}))
        assert [side.name for side, _ in found] == [control]
        assert taken_out(found) == []


def test_a_canary_that_is_taken_out_stops():
    before = plan(canary())
    after = changed(before, taken_out(breaches(healths(before, canary=BLOCKING))))
    assert after.policy.step is None
    assert after.policy == canary(step=None)


def test_splits_below_segments_names_and_shadows_are_found_and_changed_alone():
    inner = Shadow(ab(), (ShadowPolicy("s", leaf("random-forest")),))
    eur = Segment("eur", Condition((("currency", ("EUR",)),)), inner, Thresholds(0.3, 0.6, 0.95))
    usd = Segment("usd", Condition((("currency", ("USD",)),)), Named("shared", ab()))
    before = Plan("deep", 1, Segments((eur, usd), Named("shared", ab())), {"shared": ab()})
    found = sides(before)
    assert [side.arm for side in found] == [
        f"{segment} > {arm}"
        for segment in ("eur", "usd", "others")
        for arm in ("old", "new", "third")
    ]
    ill = {s: BLOCKING if s.arm in ("eur > new", "usd > third") else WELL for s in found}
    after = changed(before, taken_out(breaches(ill)))
    weights = {side.arm: side.share for side in sides(after)}
    assert weights == {
        **{"eur > old": 95, "eur > third": 5, "usd > old": 85, "usd > new": 15},
        **{"others > old": 80, "others > new": 15, "others > third": 5},
    }
    document = after.to_document()
    assert Plan.from_document(document) == after
    # Thresholds of the segment, and the shadow, are where they were; the name stands for the rest.
    assert document["segments"][0]["thresholds"]["review"] == 0.6
    assert document["segments"][0]["plan"]["kind"] == "shadow"
    assert document["segments"][0]["plan"]["plan"]["arms"][0]["plan"]["thresholds"]["review"] == 0.5
    assert document["default"] == "shared"
    assert document["plans"] == before.to_document()["plans"]


def test_arms_within_arms_change_apart():
    outer = AB((Arm("a", 50, leaf("xgboost")), Arm("b", 50, canary())), guard=GUARD)
    before = plan(outer)
    assert [s.arm for s in sides(before)] == ["a", "b", "b > baseline", "b > canary"]
    after = changed(before, taken_out(breaches(healths(before, canary=BLOCKING))))
    assert [arm.weight for arm in after.policy.arms] == [50, 50]
    assert after.policy.arms[1].policy.step is None
    both = taken_out(breaches(healths(before, canary=BLOCKING, b=BLOCKING)))
    assert [s.arm for s in sides(changed(before, both))] == []


def test_a_canary_steps_when_its_time_has_come():
    before = plan(canary())
    assert stepped(before, timedelta(minutes=59, seconds=59)) is None
    assert stepped(before, timedelta(minutes=60)).policy == canary(step=2)
    (change,) = next_steps(healths(before), timedelta(hours=1), no_report)
    assert (change.band, change.reason) == (
        "",
        "canary: step 3 of 5: 5 % -> 25 %, after 60 min",
    )


def test_a_canary_takes_every_step_and_stays_at_the_last():
    shares, now = [], plan(canary(step=0))
    while now is not None:
        shares.append(now.policy.share)
        now = stepped(now)
    assert shares == [1, 5, 25, 50, 100]
    short = plan(canary(step=1, steps=(10.0, 20.0)))
    assert stepped(short) is None


@pytest.mark.parametrize("health", [BLOCKING, FEW, Health()])
def test_a_canary_that_is_ill_or_not_proven_does_not_step(health: Health):
    assert stepped(plan(canary()), canary=health) is None


def test_the_baseline_does_not_hold_a_canary_back():
    assert stepped(plan(canary()), baseline=BLOCKING).policy.step == 2


def test_a_canary_without_bands_needs_decisions_too():
    before = plan(canary(guard=None))
    assert stepped(before, canary=FEW) is None
    assert stepped(before).policy.step == 2


def test_an_operator_moves_a_canary_that_has_no_rule():
    assert stepped(plan(canary(advance=Advance()))) is None
    assert stepped(plan(canary(step=None))) is None


def test_a_canary_that_waits_for_its_report_steps_when_it_is_promoted():
    before = plan(canary(advance=Advance(on_promote=True)))
    assert stepped(before, promoted=lambda side: False) is None
    assert (
        stepped(before, timedelta(0), promoted=lambda side: side.arm == "canary").policy.step == 2
    )
