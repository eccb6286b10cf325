"""Which reasons a decision carries."""

from __future__ import annotations

import numpy as np

from fraud.combine.thresholds import outcomes
from fraud.decision import Reason
from fraud.ensemble import Thresholds
from fraud.reasons.selection import ReasonSelection
from fraud.reasons.writer import TOP

THRESHOLDS = Thresholds(0.1, 0.5, 0.9, 0.99)
PUSHED = tuple(Reason(f"CODE_{i}", "feature", "detail", 1.0) for i in range(TOP))
RULE = Reason("RULE", "feature", "detail", 0.0)


def selection(*rows: tuple[float, float]) -> ReasonSelection:
    probability, anomaly = np.array(rows).T
    outcome = outcomes(THRESHOLDS, probability, anomaly)
    return ReasonSelection(THRESHOLDS, probability, anomaly, outcome)


def codes(found: list[tuple[Reason, ...]]) -> list[list[str]]:
    return [[reason.code for reason in reasons] for reasons in found]


def test_an_approval_has_no_reason() -> None:
    assert selection((0.05, 0.5)).reasons({0: PUSHED}, [(RULE,)]) == [()]


def test_contributions_come_before_rules_and_rules_before_the_bare_score() -> None:
    three = selection(*[(0.6, 0.0)] * 3)
    assert three.rows_by_score == [0, 1, 2]
    found = codes(three.reasons({0: PUSHED}, [(RULE,), (RULE,), ()]))
    assert found == [[r.code for r in PUSHED], ["RULE"], ["MODEL_SCORE"]]
    assert codes(three.reasons({}, None)) == [["MODEL_SCORE"]] * 3


def test_a_challenge_by_the_anomaly_score_carries_that_alone() -> None:
    one = selection((0.05, 0.995))
    assert one.rows_by_score == []
    assert codes(one.reasons({0: PUSHED}, [(RULE,)])) == [["ANOMALY"]]


def test_an_anomaly_beside_a_score_takes_the_last_place() -> None:
    found = codes(selection((0.6, 0.995)).reasons({0: PUSHED}, None))
    assert found == [[*(r.code for r in PUSHED[: TOP - 1]), "ANOMALY"]]
