"""What speaks against trusting a result."""

from __future__ import annotations

from typing import Any

import pytest

from bulk.scoring.summary.doubts import doubts


def _model(name: str, mean: float | None, rate: float, **agreement: float) -> dict[str, Any]:
    return {"reference": name, "mean": mean, "training_rate": rate, "agreement": agreement}


def _drift(column: str, psi: float | None) -> dict[str, Any]:
    return {"file_column": column, "psi": psi}


def test_nothing_speaks_against_an_ordinary_result() -> None:
    models = [_model("a", 0.012, 0.01), _model("b", 0.03, 0.01, a=0.7)]
    assert doubts(models, [_drift("amount", 0.1), _drift("kind", None)]) == []


@pytest.mark.parametrize(
    ("mean", "rate", "doubted"),
    [(0.76, 0.048, True), (0.04, 0.005, False), (0.06, 0.005, True), (0.3, 0.1, False)],
)
def test_a_mean_far_above_the_models_own_rate(mean: float, rate: float, doubted: bool) -> None:
    found = doubts([_model("amlsim@1", mean, rate)], [])
    assert len(found) == doubted
    assert all("amlsim@1 scores" in sentence for sentence in found)


def test_a_model_that_scored_nothing_is_not_judged() -> None:
    assert doubts([_model("a", None, 0.01)], []) == []


def test_models_that_do_not_see_the_same_fraud() -> None:
    models = [_model("a", 0.01, 0.01), _model("b", 0.01, 0.01, a=0.05)]
    assert doubts(models, []) == [
        "a and b share only 5% of their riskiest rows: they do not see the same fraud"
    ]


def test_columns_that_moved_are_named_once() -> None:
    drift = [_drift(f"c{i}", 0.5) for i in range(7)] + [_drift("c0", 3.0), _drift("d", 0.2)]
    assert doubts([], drift) == [
        "these columns are spread otherwise than in training: c0, c1, c2, c3, c4 and 2 more"
    ]
