"""Scores of a plan's own models, under the names of training."""

from __future__ import annotations

import json

import numpy as np

from decision_log.readers.scored_decisions import ENSEMBLE, ScoredDecisions, shown_names


def row(probability: float, **votes: float) -> dict[str, object]:
    return {
        "decided_ms": 0,
        "schema_id": "s",
        "features": b"",
        "probability": probability,
        "votes": json.dumps([{"variant": v, "status": "ok", "score": s} for v, s in votes.items()]),
        "is_fraud": None,
        "known_ms": None,
    }


def test_models_are_called_as_in_training() -> None:
    names = ["mine/xgboost", "xgboost", "mine/logistic", "mine/xgboost@2fd6da9b13f3"]
    assert shown_names(names) == {
        "mine/xgboost": "xgboost",
        "xgboost": "/xgboost",
        "mine/logistic": "logistic",
        "mine/xgboost@2fd6da9b13f3": "mine/xgboost@2fd6da9b13f3",
    }


def test_votes_of_another_plan_are_left_out() -> None:
    # The house's plan decided the first row, before the tenant had its own.
    rows = [row(0.1, xgboost=0.2), row(0.3, **{"mine/xgboost": 0.4})]
    found = ScoredDecisions.of(rows, "s", 0).of_plan(shown_names(["mine/xgboost"]))
    assert found.scores.keys() == {ENSEMBLE, "xgboost"}
    assert np.array_equal(found.scores["xgboost"], [np.nan, 0.4], equal_nan=True)
    # Nor is the first row's probability this plan's.
    assert np.array_equal(found.scores[ENSEMBLE], [np.nan, 0.3], equal_nan=True)
