"""Who scores, and how much each counts."""

from __future__ import annotations

import pytest

from references.matching.match import ModelMatch, Reason
from references.matching.weights import UNKNOWN_SKILL, skill, weighted

REFUSED = (Reason("low-similarity", "too little"),)


def _model(name: str, similarity: float, reasons: tuple[Reason, ...] = ()) -> ModelMatch:
    return ModelMatch(name, similarity, 1, similarity, None, (), reasons=reasons)


def test_skill_is_the_gini_coefficient() -> None:
    assert skill({"roc_auc": 0.9}) == pytest.approx(0.8)
    assert skill({"roc_auc": 0.4}) == 0.05
    assert skill({}) == skill({"roc_auc": 7.0}) == UNKNOWN_SKILL


def test_weights_are_similarity_times_skill() -> None:
    models = [_model("a", 0.9), _model("b", 0.6)]
    chosen = weighted(models, {"a": 0.2, "b": 0.9}, 3)
    assert [m.reference for m in chosen] == ["b", "a"]
    assert [m.weight for m in chosen] == pytest.approx([0.75, 0.25])


def test_only_the_best_that_fit_are_chosen() -> None:
    models = [_model("x", 0.95, REFUSED), _model("a", 0.9), _model("b", 0.8), _model("c", 0.7)]
    chosen = weighted(models, dict.fromkeys("xabc", 1.0), 2)
    assert [m.reference for m in chosen] == ["a", "b"]


def test_the_named_score_and_nobody_else() -> None:
    models = [_model("a", 0.9), _model("x", 0.0, REFUSED)]
    chosen = weighted(models, {"a": 1.0, "x": 1.0}, 3, {"x"})
    assert [(m.reference, m.weight) for m in chosen] == [("x", 1.0)]


def test_nobody_fits() -> None:
    assert weighted([_model("x", 0.5, REFUSED)], {"x": 1.0}, 3) == ()
