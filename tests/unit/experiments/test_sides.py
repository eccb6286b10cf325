"""What is compared with what."""

from __future__ import annotations

from typing import Any

from experiments.sides import PLAN, Pair, Side, arm_names, pairs
from fraud.plan import Plan

LEAF = {
    "kind": "single",
    "members": [{"variant": "xgboost", "weight": 1.0}],
    "thresholds": {"challenge": 0.05, "review": 0.15, "block": 0.6},
}


def plan(policy: dict[str, Any]) -> Plan:
    return Plan.from_document({"name": "default", "version": 1, **policy})


def ab(*names: str) -> dict[str, Any]:
    weights = [100 - 10 * (len(names) - 1)] + [10] * (len(names) - 1)
    arms = [{"name": n, "weight": w, "plan": LEAF} for n, w in zip(names, weights, strict=True)]
    return {"kind": "ab", "salt": "s", "arms": arms}


def of(side: Side, against: Side) -> Pair:
    return Pair(side, against, paired=side.kind != "arm")


def test_each_arm_is_compared_with_the_first() -> None:
    found = pairs([plan(ab("control", "new", "newer"))], ["control", "new", "newer"], [], [])
    assert found == [
        of(Side("arm", "new"), Side("arm", "control")),
        of(Side("arm", "newer"), Side("arm", "control")),
    ]


def test_an_arm_that_decided_nothing_is_not_compared() -> None:
    assert pairs([plan(ab("control", "new"))], ["control"], [], []) == []
    assert pairs([plan(ab("control", "new"))], ["new"], [], []) == []


def test_a_canary_is_compared_with_its_baseline_and_a_cascade_counts_as_a_whole() -> None:
    cascade = {"kind": "cascade", "stages": [{"plan": LEAF, "settle_below": 0.01}, {"plan": LEAF}]}
    canary = plan({"kind": "canary", "salt": "", "baseline": LEAF, "canary": cascade, "steps": [5]})
    arms = ["baseline", "canary > stage 1", "canary > stage 2"]
    assert pairs([canary], arms, [], []) == [of(Side("arm", "canary"), Side("arm", "baseline"))]
    assert arm_names([canary], arms) == ["baseline", "canary"]


def test_splits_within_segments_shadows_and_named_plans() -> None:
    dark = [{"name": "dark", "plan": LEAF}]
    document = plan(
        {
            "kind": "segments",
            "segments": [{"name": "eur", "when": {"currency": ["EUR"]}, "plan": "split"}],
            "default": {"kind": "shadow", "plan": ab("a", "b"), "shadows": dark},
            "plans": {"split": ab("a", "b")},
        }
    )
    arms = ["eur > a", "eur > b", "others > a", "others > b"]
    assert pairs([document], arms, [], []) == [
        of(Side("arm", "eur > b"), Side("arm", "eur > a")),
        of(Side("arm", "others > b"), Side("arm", "others > a")),
    ]
    assert arm_names([document], ["eur > a", "usd"]) == ["eur > a", "usd"]


def test_the_newest_version_says_which_arm_is_the_control() -> None:
    found = pairs([plan(ab("b", "a")), plan(ab("a", "b"))], ["a", "b"], [], [])
    assert Pair(Side("arm", "a"), Side("arm", "b"), False) in found


def test_shadows_and_challengers_answer_the_same_payments() -> None:
    variants = ["xgboost", "xgboost@2fd6da9b13f3", "acme/logistic", "logistic", "random-forest@0"]
    assert pairs([plan(LEAF)], [""], variants, ["candidate"]) == [
        of(Side("shadow", "candidate"), PLAN),
        of(Side("variant", "acme/logistic"), Side("variant", "logistic")),
        of(Side("variant", "xgboost@2fd6da9b13f3"), Side("variant", "xgboost")),
    ]
    assert str(Side("arm", "new")) == "arm new"
    assert str(PLAN) == "the plan"
