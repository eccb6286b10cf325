"""Numbers of replicas and variants change, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from loadtests.bench.scale.stack import PLAN, plan_of, with_copies, with_replicas

ACTIVE = Plan(
    *("default", 4),
    Ensemble(
        (Member("xgboost", 0.5), Member("random-forest", 0.3), Member("logistic", 0.2)),
        Thresholds(0.1, 0.5, 0.9),
        anomaly="isolation-forest",
        calibration=((0.0, 0.0), (1.0, 1.0)),
    ),
)


def applications() -> list[dict[str, Any]]:
    return [
        {"name": "decisions", "deployments": [{"name": "Ingress", "num_replicas": 1}]},
        {
            "name": "variant-xgboost",
            "args": {"variant": "xgboost", "artifact": "challenger"},
            "deployments": [{"name": "Variant", "autoscaling_config": {"max_replicas": 4}}],
        },
    ]


def test_pools_get_a_size_and_the_way_of_a_request_stays() -> None:
    decisions, variant = with_replicas(applications(), 3)
    assert decisions == applications()[0]
    assert variant["deployments"] == [{"name": "Variant", "num_replicas": 3}]


def test_what_was_there_is_not_touched() -> None:
    before = applications()
    with_replicas(before, 3)
    with_copies(before, ["xgboost-copy-1"])
    assert before == applications()


def test_copies_are_applications_of_their_own() -> None:
    *same, copy = with_copies(applications(), ["xgboost-copy-1"])
    assert same == applications()
    assert copy["name"] == "variant-xgboost-copy-1"
    assert copy["args"] == {"variant": "xgboost-copy-1", "artifact": "champion"}
    assert copy["deployments"] == applications()[1]["deployments"]


@pytest.mark.parametrize(
    ("variants", "asked"),
    [
        (1, ["xgboost"]),
        (3, ["xgboost", "random-forest", "logistic"]),
        (4, ["xgboost", "random-forest", "logistic", "isolation-forest"]),
        (
            6,
            [
                *("xgboost", "random-forest", "logistic"),
                *("xgboost-copy-1", "xgboost-copy-2", "isolation-forest"),
            ],
        ),
    ],
)
def test_a_plan_asks_so_many(variants: int, asked: list[str]) -> None:
    plan, copies = plan_of(ACTIVE, variants, variants)
    assert list(plan.variants) == asked
    assert list(copies) == [name for name in asked if "copy" in name]
    assert (plan.name, plan.version) == (PLAN, variants)
    assert plan.kind == ("single" if variants == 1 else "ensemble")
    assert plan.ensemble.thresholds == ACTIVE.ensemble.thresholds


def test_a_plan_that_asks_nobody_is_none() -> None:
    with pytest.raises((ValueError, IndexError)):
        plan_of(ACTIVE, 0, 1)
