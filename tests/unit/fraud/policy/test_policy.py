"""Who is asked."""

from __future__ import annotations

from fraud.plan import Member, Plan, Thresholds
from fraud.policy.choice import policy_of
from fraud.policy.policy import Ask

THRESHOLDS = Thresholds(0.1, 0.5, 0.9)


def test_an_ensemble_asks_everybody_about_everything():
    plan = Plan("p", 1, "ensemble", (Member("a", 1.0), Member("b", 2.0)), THRESHOLDS, "odd")
    assert policy_of(plan).ask(7) == (Ask("a"), Ask("b"), Ask("odd"))


def test_a_single_plan_asks_one():
    plan = Plan("p", 1, "single", (Member("a", 1.0),), THRESHOLDS)
    assert policy_of(plan).ask(1) == (Ask("a"),)


def test_no_rows_ask_nobody():
    plan = Plan("p", 1, "single", (Member("a", 1.0),), THRESHOLDS, "odd")
    assert policy_of(plan).ask(0) == ()
