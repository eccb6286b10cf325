"""Plans and their documents."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fraud.methods.stack import Stack
from fraud.plan import Member, Plan, Thresholds
from fraud.record import plan_digest

PLAN = Plan(
    *("default", 7, "ensemble"),
    (Member("xgboost", 0.5), Member("logistic", 0.25)),
    Thresholds(0.1, 0.5, 0.9, 0.99),
    "isolation-forest",
    120,
    ((0.0, 0.0), (1.0, 0.5)),
    Stack(-0.25),
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
    plan = Plan.from_document(document)
    assert (plan.method.name, plan.anomaly, plan.deadline_ms) == ("mean", None, 100)


@pytest.mark.parametrize("key", ["colour", "method"])
def test_an_unknown_key_is_refused(key: str) -> None:
    with pytest.raises(TypeError):
        Plan.from_document({**PLAN.to_document(), key: "red"})


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
def test_a_plan_that_cannot_decide_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(PLAN, **change)  # type: ignore[arg-type]


def test_voters_come_before_the_anomaly_variant() -> None:
    assert PLAN.voters == ("xgboost", "logistic")
    assert PLAN.variants == ("xgboost", "logistic", "isolation-forest")
    assert [call.variant for call in PLAN.policy().calls(1)] == list(PLAN.variants)
