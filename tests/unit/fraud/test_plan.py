"""Plans and their documents."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import InvalidInput
from fraud.methods.stack import Stack
from fraud.plan import Plan, continued
from fraud.record import plan_digest
from tests.contracts.plans import LEAF, TREE

PLAN = Plan(
    *("default", 7),
    Ensemble(
        (Member("xgboost", 0.5), Member("logistic", 0.25)),
        Thresholds(0.1, 0.5, 0.9, 0.99),
        "isolation-forest",
        120,
        ((0.0, 0.0), (1.0, 0.5)),
        Stack(-0.25),
    ),
)
STORED = (
    '{"anomaly": "isolation-forest", "calibration": [[0.0, 0.0], [1.0, 0.5]], "combiner": "stack",'
    ' "deadline_ms": 120, "intercept": -0.25, "kind": "ensemble", "members": [{"variant":'
    ' "xgboost", "weight": 0.5}, {"variant": "logistic", "weight": 0.25}], "name": "default",'
    ' "thresholds": {"anomaly_challenge": 0.99, "block": 0.9, "challenge": 0.1, "review": 0.5},'
    ' "version": 7}'
)
"""A document as older releases wrote it: stored plans stay readable."""


def test_a_stored_document_is_read_and_written_to_the_byte() -> None:
    assert Plan.from_document(json.loads(STORED)) == PLAN
    assert PLAN.to_json() == STORED
    assert plan_digest(PLAN.to_document()) == plan_digest(json.loads(STORED))


def test_a_document_without_a_method_and_without_an_anomaly_is_a_mean() -> None:
    document = json.loads(STORED)
    for key in ("combiner", "intercept", "anomaly", "deadline_ms"):
        del document[key]
    ensemble = Plan.from_document(document).ensemble
    found = (ensemble.method.name, ensemble.anomaly, ensemble.deadline_ms)
    assert found == ("mean", None, 100)


def faults(document: object) -> list[tuple[str, str]]:
    """(pointer, detail) of everything that is wrong with a document."""
    with pytest.raises(InvalidInput) as refused:
        Plan.from_document(document)
    return [(pointer, detail) for pointer, _, detail in refused.value.errors]


def changed(**changes: object) -> dict[str, object]:
    """A sound document with other members; a change to `...` leaves one out."""
    document = PLAN.to_document() | changes
    return {key: value for key, value in document.items() if value is not ...}


NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "pointer", "text"),
    [
        ({"colour": "red"}, "/colour", "unknown field"),
        ({"method": "mean"}, "/method", "unknown field"),
        ({"kind": "lottery"}, "/kind", "kind must be one of single, ensemble"),
        ({"kind": ...}, "/kind", "kind must be one of"),
        ({"kind": "single"}, "/members", "expected one variant"),
        ({"members": []}, "/members", "expected 1 to 32 items"),
        ({"members": ...}, "/members", "expected an array"),
        ({"members": [{"variant": "a", "weight": 0}]}, "/members/0/weight", "above 0"),
        ({"members": [{"variant": "a", "weight": NAN}]}, "/members/0/weight", "above 0"),
        ({"members": [{"variant": "a", "weight": True}]}, "/members/0/weight", "expected a number"),
        ({"members": [{"variant": "A b", "weight": 1}]}, "/members/0/variant", "[tenant/]variant"),
        ({"members": [{"variant": "a", "weight": 1}] * 2}, "/members", "each variant once"),
        ({"thresholds": {"challenge": 0.5, "review": 0.4, "block": 0.9}}, "/thresholds", "0 <"),
        (
            {"thresholds": {"challenge": 0, "review": 0.4, "block": 2}},
            "/thresholds/block",
            "most 1",
        ),
        ({"deadline_ms": 0}, "/deadline_ms", "from 1 to"),
        ({"deadline_ms": 1.5}, "/deadline_ms", "whole number"),
        ({"calibration": [[0.5, 0.1], [0.4, 0.2]]}, "/calibration", "knots that rise"),
        ({"calibration": [[0.5, NAN]]}, "/calibration/0", "finite numbers"),
        ({"version": 0}, "/version", "from 1 to"),
        ({"name": ""}, "/name", "1 to 64 characters"),
        ({"subsets": [{"variants": ["b"], "calibration": []}]}, "/subsets", "some of the members"),
        ({"combiner": "rank", "intercept": ...}, "/members", "ranks of each"),
        ({"costs": {"review": -1, "false_block": 2}}, "/costs/review", "from 0"),
    ],
)
def test_each_fault_of_a_document_is_named_where_it_is(
    change: dict[str, object], pointer: str, text: str
) -> None:
    found = faults(changed(**change))
    assert [detail for at, detail in found if at == pointer and text in detail], found


def test_all_faults_are_named_at_once() -> None:
    document = changed(deadline_ms=0, colour="red", thresholds={"challenge": 2})
    assert {pointer for pointer, _ in faults(document)} >= {
        *("/deadline_ms", "/colour", "/thresholds/challenge", "/thresholds/review")
    }


@pytest.mark.parametrize("document", [None, 3, "plan", [], {}])
def test_what_is_no_document_at_all_is_refused(document: object) -> None:
    assert faults(document)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "lottery"}, "kind must be one of single, ensemble"),
        ({"kind": "single"}, "members: expected one variant"),
        ({"members": ()}, "members: expected at least one"),
        ({"members": (Member("a", 0.0),)}, "weight above zero"),
        ({"members": (Member("a", 1.0), Member("a", 2.0))}, "members: expected each variant once"),
        ({"thresholds": Thresholds(0.5, 0.4, 0.9)}, "thresholds: expected 0 < challenge"),
        ({"deadline_ms": 0}, "deadline_ms: expected a number above zero"),
        ({"calibration": ((0.5, 0.1), (0.4, 0.2))}, "calibration: expected knots that rise"),
    ],
)
def test_an_ensemble_that_cannot_decide_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(PLAN.ensemble, **change)  # type: ignore[arg-type]


def test_voters_come_before_the_anomaly_variant() -> None:
    assert PLAN.voters == ("xgboost", "logistic")
    assert PLAN.variants == ("xgboost", "logistic", "isolation-forest")
    assert PLAN.control is PLAN.ensemble


def test_a_plan_of_every_kind_is_read_and_written_unchanged() -> None:
    plan = Plan.from_document(json.loads(json.dumps(TREE)))
    assert plan.to_document() == TREE
    assert Plan.from_document(plan.to_document()) == plan
    assert plan.variants == ("xgboost", "acme/logistic@0123456789ab", "dark")
    assert plan.deciding_variants == ("xgboost", "acme/logistic@0123456789ab")
    assert [name for name, _ in plan.shadows()] == ["dark"]
    assert [arm for arm, _ in plan.leaves()] == [
        *("eur > a", "eur > b", "web", "slow > stage 1", "slow > stage 2"),
        *("others > baseline", "others > canary"),
    ]
    thresholds = {arm: leaf.thresholds.challenge for arm, leaf in plan.leaves()}
    assert (thresholds["web"], thresholds["eur > a"]) == (0.2, 0.1)


@pytest.mark.parametrize(
    ("plan", "pointer", "text"),
    [
        ({"kind": "ab", "arms": [{"name": "a", "weight": 100, "plan": LEAF}]}, "/arms", "2 to 16"),
        (
            {
                "kind": "ab",
                "arms": [
                    {"name": "a", "weight": 50, "plan": LEAF},
                    {"name": "b", "weight": 49, "plan": LEAF},
                ],
            },
            "/arms",
            "add up to",
        ),
        (
            {
                "kind": "ab",
                "arms": [
                    {"name": "a", "weight": NAN, "plan": LEAF},
                    {"name": "b", "weight": 50, "plan": LEAF},
                ],
            },
            "/arms/0/weight",
            "0",
        ),
        (
            {
                "kind": "ab",
                "arms": [
                    {"name": "a > b", "weight": 50, "plan": LEAF},
                    {"name": "b", "weight": 50, "plan": 3},
                ],
            },
            "/arms/1/plan",
            "object",
        ),
        ({"kind": "canary", "baseline": LEAF, "canary": "gone"}, "/canary", "no plan of this name"),
        ({"kind": "canary", "baseline": LEAF, "canary": LEAF, "step": 5}, "/step", "index"),
        ({"kind": "canary", "baseline": LEAF, "canary": LEAF, "steps": [5, 1]}, "/steps", "rise"),
        ({"kind": "shadow", "plan": LEAF, "shadows": []}, "/shadows", "1 to 8"),
        ({"kind": "cascade", "stages": [{"plan": LEAF}]}, "/stages", "2 to 8"),
        (
            {
                "kind": "cascade",
                "stages": [{"plan": LEAF, "settle_below": 0.9, "settle_from": 0.1}, {"plan": LEAF}],
            },
            "/stages",
            "settle_below <=",
        ),
        (
            {
                "kind": "cascade",
                "stages": [{"plan": "ab"}, {"plan": LEAF}],
                "plans": {
                    "ab": {"kind": "shadow", "plan": LEAF, "shadows": [{"name": "s", "plan": LEAF}]}
                },
            },
            "/stages/0/plan",
            "kind single or ensemble",
        ),
        (
            {
                "kind": "segments",
                "segments": [{"name": "a", "when": {}, "plan": LEAF}] * 10_000,
                "default": LEAF,
            },
            "/segments",
            "1 to 64 items",
        ),
        (
            {
                "kind": "segments",
                "segments": [{"name": "a", "when": {"type": ["gift"]}, "plan": LEAF}],
                "default": LEAF,
            },
            "/segments/0/when/type/0",
            "one of payment",
        ),
        (
            {
                "kind": "segments",
                "segments": [{"name": "a", "when": {}, "plan": LEAF}],
                "default": LEAF,
            },
            "/segments/0/when",
            "at least one of",
        ),
        (
            {
                "kind": "canary",
                "baseline": "a",
                "canary": LEAF,
                "plans": {
                    "a": {"kind": "canary", "baseline": "b", "canary": LEAF},
                    "b": {"kind": "canary", "baseline": "a", "canary": LEAF},
                },
            },
            "/plans/b/baseline",
            "circle: a -> b -> a",
        ),
    ],
)
def test_each_fault_of_a_tree_is_named_where_it_is(
    plan: dict[str, object], pointer: str, text: str
) -> None:
    found = faults({"name": "p", "version": 1, **plan})
    assert [detail for at, detail in found if at == pointer and text in detail], found


def test_names_of_names_do_not_double_without_end() -> None:
    arms = [{"name": name, "weight": 50} for name in "ab"]
    plans = {"p0": LEAF} | {
        f"p{i}": {"kind": "ab", "arms": [arm | {"plan": f"p{i - 1}"} for arm in arms]}
        for i in range(1, 30)
    }
    found = faults({"name": "p", "version": 1, "plans": plans, **plans["p29"]})
    assert any("sub-plans" in detail for _, detail in found)


def test_a_deep_plan_is_refused() -> None:
    plan: dict[str, object] = LEAF
    for _ in range(2000):
        plan = {"kind": "canary", "baseline": plan, "canary": LEAF}
    assert any("deeper than" in detail for _, detail in faults({"name": "p", "version": 1, **plan}))


@pytest.mark.parametrize("weights", [(80, 20), (70, 20, 10), (20, 70, 10), (10, 20, 70)])
def test_a_change_of_weights_moves_only_what_it_must(weights: tuple[int, ...]) -> None:
    def ab(shares: tuple[int, ...]) -> Plan:
        arms = [{"name": f"a{i}", "weight": w, "plan": LEAF} for i, w in enumerate(shares)]
        inner = {"kind": "ab", "salt": "s", "arms": arms}
        when = {"currency": ["EUR"]}
        segments = [{"name": "eur", "when": when, "plan": inner}]
        tree = {"kind": "segments", "segments": segments, "default": LEAF}
        return Plan.from_document({"name": "p", "version": 1, **tree})

    before, after = ab((90, 10) if len(weights) == 2 else (10, 80, 10)), ab(weights)
    continuing = continued(after, before)

    def arms(plan: Plan) -> np.ndarray:
        return plan.policy.segments[0].policy._arm_of  # type: ignore[attr-defined,no-any-return]

    shares = (90, 10) if len(weights) == 2 else (10, 80, 10)
    must = sum(max(0, w - s) for w, s in zip(weights, shares, strict=True)) * 100
    assert int((arms(continuing) != arms(before)).sum()) == must
    assert np.bincount(arms(continuing)).tolist() == [100 * w for w in weights]
