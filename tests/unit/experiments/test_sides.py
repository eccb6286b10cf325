"""What is compared with what."""

from __future__ import annotations

from typing import Any

from experiments.sides import PLAN, Pair, Side, arm_names, pairs

LEAF = {"kind": "single", "members": [{"variant": "xgboost", "weight": 1}]}


def ab(*names: str, plan: Any = LEAF) -> dict[str, Any]:
    return {"kind": "ab", "arms": [{"name": n, "weight": 1, "plan": plan} for n in names]}


def of(side: Side, against: Side) -> Pair:
    return Pair(side, against, paired=side.kind != "arm")


def test_each_arm_is_compared_with_the_first() -> None:
    found = pairs([ab("control", "new", "newer")], ["control", "new", "newer"], [], [])
    assert found == [
        of(Side("arm", "new"), Side("arm", "control")),
        of(Side("arm", "newer"), Side("arm", "control")),
    ]


def test_an_arm_that_decided_nothing_is_not_compared() -> None:
    assert pairs([ab("control", "new")], ["control"], [], []) == []
    assert pairs([ab("control", "new")], ["new"], [], []) == []


def test_a_canary_is_compared_with_its_baseline_and_a_cascade_counts_as_a_whole() -> None:
    canary = {"kind": "canary", "baseline": LEAF, "canary": {"kind": "cascade", "stages": []}}
    arms = ["baseline", "canary > stage 1", "canary > stage 2"]
    assert pairs([canary], arms, [], []) == [of(Side("arm", "canary"), Side("arm", "baseline"))]
    assert arm_names([canary], arms) == ["baseline", "canary"]


def test_splits_within_segments_shadows_and_named_plans() -> None:
    document = {
        "kind": "segments",
        "segments": [{"name": "eur", "when": {}, "plan": "split"}],
        "default": {"kind": "shadow", "plan": ab("a", "b"), "shadows": []},
        "plans": {"split": ab("a", "b"), "loop": "loop"},
    }
    arms = ["eur > a", "eur > b", "default > a", "default > b"]
    assert pairs([document], arms, [], []) == [
        of(Side("arm", "default > b"), Side("arm", "default > a")),
        of(Side("arm", "eur > b"), Side("arm", "eur > a")),
    ]
    assert arm_names([document], ["eur > a", "usd"]) == ["eur > a", "usd"]


def test_plans_that_name_each_other_end() -> None:
    document = {**ab("a", "b", plan="one"), "plans": {"one": ab("a", "b", plan="one")}}
    assert Side("arm", "b") in [pair.side for pair in pairs([document], ["a", "b"], [], [])]


def test_the_newest_version_says_which_arm_is_the_control() -> None:
    found = pairs([ab("b", "a"), ab("a", "b")], ["a", "b"], [], [])
    assert Pair(Side("arm", "a"), Side("arm", "b"), False) in found


def test_shadows_and_challengers_answer_the_same_payments() -> None:
    variants = ["xgboost", "xgboost@2fd6da9b13f3", "acme/logistic", "logistic", "random-forest@0"]
    assert pairs([LEAF], [""], variants, ["candidate"]) == [
        of(Side("shadow", "candidate"), PLAN),
        of(Side("variant", "acme/logistic"), Side("variant", "logistic")),
        of(Side("variant", "xgboost@2fd6da9b13f3"), Side("variant", "xgboost")),
    ]
    assert str(Side("arm", "new")) == "arm new"
    assert str(PLAN) == "the plan"
