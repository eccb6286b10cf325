"""A plan over the champions of an owner."""

from __future__ import annotations

from fraud.plan import Member, Plan, Thresholds
from training.registry.owned_plan import owned_plan

PLAN = Plan(
    "default",
    3,
    "ensemble",
    (Member("xgboost", 0.75), Member("logistic", 0.25)),
    Thresholds(0.1, 0.2, 0.3, 0.9),
    anomaly="isolation-forest",
    calibration=((0.0, 0.0), (1.0, 0.5)),
)


def test_names_change_and_nothing_else() -> None:
    mine = owned_plan(PLAN, "mine")
    assert mine.variants == ("mine/xgboost", "mine/logistic", "mine/isolation-forest")
    assert owned_plan(mine, "theirs").voters == ("theirs/xgboost", "theirs/logistic")
    assert owned_plan(mine, "") == PLAN == owned_plan(PLAN, "")
