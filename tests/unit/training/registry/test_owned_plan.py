"""A plan over the champions of an owner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraud.ensemble import Ensemble, Member, SubsetCalibration, Thresholds
from fraud.plan import Plan
from fraud.policy.cascade import Cascade, Stage
from training.registry.owned_plan import owned_plan

LEAF = Ensemble(
    (Member("xgboost", 0.75), Member("logistic", 0.25, required=True)),
    Thresholds(0.1, 0.2, 0.3, 0.9),
    anomaly="isolation-forest",
    calibration=((0.0, 0.0), (1.0, 0.5)),
    subsets=(SubsetCalibration(("logistic",), ((0.0, 0.0), (1.0, 0.25))),),
)
PLAN = Plan("default", 3, LEAF)


def test_names_change_and_nothing_else() -> None:
    mine = owned_plan(PLAN, "mine")
    assert mine.ensemble.subsets[0].variants == ("mine/logistic",)
    assert mine.variants == ("mine/xgboost", "mine/logistic", "mine/isolation-forest")
    assert owned_plan(mine, "theirs").voters == ("theirs/xgboost", "theirs/logistic")
    assert owned_plan(mine, "") == PLAN == owned_plan(PLAN, "")


def test_a_tenants_cascade_asks_the_tenants_champions_at_every_stage() -> None:
    first = replace(LEAF, members=(Member("logistic", 1.0),), subsets=())
    cascade = Plan("cascade", 1, Cascade((Stage(first, settle_below=0.01), Stage(LEAF))))
    mine = owned_plan(cascade, "mine")
    assert all(name.startswith("mine/") for name in mine.variants)
    assert owned_plan(mine, "") == cascade


def test_what_no_training_makes_is_refused() -> None:
    document = {"name": "split", "version": 1, "kind": "ab", "salt": "s"}
    arms = [{"name": name, "weight": 50, "plan": LEAF.to_document()} for name in ("a", "b")]
    split = Plan.from_document({**document, "arms": arms})
    with pytest.raises(ValueError, match="not one ensemble"):
        owned_plan(replace(split, name="other"), "mine")
