"""A plan run over many recorded decisions at once, against the same plan run row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deciding.simulation.simulated import UNDECIDED, simulated
from deciding.simulation.votes import Voters
from fraud.ensemble import Ensemble, Member, SubsetCalibration, Thresholds
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.canary import Canary
from fraud.policy.cascade import Cascade, Stage
from fraud.policy.interface import Policy
from fraud.policy.segments import Condition, Segment, Segments
from fraud.policy.shadow import Shadow, ShadowPolicy
from fraud.record import DecisionRecord
from tests.contracts.plans import leaf
from tests.contracts.recorded import index_of, made, recorded, row_decided

WHOLE = Ensemble(
    (Member("xgboost", 2.0, required=True), Member("random-forest", 1.0), Member("logistic", 0.5)),
    Thresholds(0.45, 0.6, 0.75, anomaly_challenge=0.9),
    anomaly="isolation-forest",
    calibration=((0.0, 0.0), (0.5, 0.4), (1.0, 1.0)),
    subsets=(SubsetCalibration(("logistic", "xgboost"), ((0.0, 0.1), (1.0, 0.7))),),
)
FAST, BOTH = leaf("logistic"), leaf("logistic", "xgboost")
POLICIES: dict[str, Policy] = {
    "ensemble": WHOLE,
    "ab": AB((Arm("control", 70, WHOLE), Arm("new", 30, BOTH)), salt="s"),
    "canary": Canary(WHOLE, BOTH, step=2),
    "cascade": Cascade((Stage(FAST, 0.3, 0.9), Stage(BOTH, 0.2), Stage(WHOLE))),
    "segments": Segments(
        (
            Segment("eur", Condition((("currency", ("EUR",)),)), WHOLE, Thresholds(0.1, 0.2, 0.3)),
            Segment("large", Condition(amount_from=5_000.0), BOTH),
        ),
        AB((Arm("control", 50, WHOLE), Arm("new", 50, FAST)), salt="t"),
    ),
    "shadow": Shadow(WHOLE, (ShadowPolicy("candidate", leaf("never-asked")),)),
}


def plan_of(policy: Policy) -> Plan:
    return Plan("default", 1, policy)


def assert_equal_to_rows(plan: Plan, records: list[DecisionRecord]) -> None:
    found = simulated(plan, recorded(records), Voters(None))
    for i, record in enumerate(records):
        arm, combined = row_decided(plan, record)
        assert found.arm[i] == arm
        assert found.outcome[i] == combined.outcome[0]
        assert found.probability[i] == pytest.approx(combined.probability[0], abs=1e-12)


@pytest.mark.parametrize("kind", POLICIES)
def test_the_recorded_plan_itself_gives_every_recorded_decision(kind: str) -> None:
    plan = plan_of(POLICIES[kind])
    records = made(plan, 400, seed=1)
    found = simulated(plan, recorded(records), Voters(None))
    assert found.outcome.tolist() == [index_of(r.outcome) for r in records]
    assert found.arm == [r.arm for r in records]
    assert found.probability == pytest.approx([r.probability for r in records], abs=1e-12)
    assert found.by_rules == sum("rules_only" in r.degraded for r in records) > 0
    assert len({r.outcome for r in records}) >= 3


@pytest.mark.parametrize("kind", POLICIES)
def test_another_plan_gives_what_it_gives_row_by_row(kind: str) -> None:
    assert_equal_to_rows(plan_of(POLICIES[kind]), made(plan_of(WHOLE), 300, seed=2))


@pytest.mark.parametrize("kind", POLICIES)
def test_votes_that_were_never_cast_are_missing(kind: str) -> None:
    records = made(plan_of(BOTH), 200, seed=3, silent=0.3)
    assert_equal_to_rows(plan_of(POLICIES[kind]), records)


def test_every_variant_asked_and_none_answering_leaves_the_rules() -> None:
    records = made(plan_of(WHOLE), 50, seed=4, silent=1.0)
    found = simulated(plan_of(BOTH), recorded(records), Voters(None))
    assert found.by_rules == 50
    assert_equal_to_rows(plan_of(BOTH), records)
    assert found.outcome.max() <= index_of("review")


def test_rules_do_not_decide_on_features_of_another_schema() -> None:
    records = made(plan_of(WHOLE), 60, seed=5, silent=0.3)
    records = [replace(r, schema_id="f" * 12) if i % 2 else r for i, r in enumerate(records)]
    found = simulated(plan_of(WHOLE), recorded(records), Voters(None))
    unknown = [i % 2 == 1 and "rules_only" in r.degraded for i, r in enumerate(records)]
    assert any(unknown)
    assert (found.outcome == UNDECIDED).tolist() == unknown
    assert np.isnan(found.probability).tolist() == unknown
