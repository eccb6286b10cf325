"""Who scores, and how much each counts."""

from __future__ import annotations

import pytest

from references.matching.judging.weights import UNKNOWN_SKILL, skill, weighted
from references.matching.match import ModelMatch, Reason

REFUSED = (Reason("low-similarity", "too little"),)


def _model(name: str, similarity: float, reasons: tuple[Reason, ...] = ()) -> ModelMatch:
    return ModelMatch(name, similarity, 1, similarity, None, (), reasons=reasons)


def test_skill_is_the_gini_coefficient() -> None:
    assert skill({"roc_auc": 0.9}) == pytest.approx(0.8)
    assert skill({"roc_auc": 0.4}) == 0.05
    assert skill({}) == skill({"roc_auc": 7.0}) == UNKNOWN_SKILL


def test_weights_follow_skill_and_similarity() -> None:
    models = [_model("a", 0.9), _model("b", 0.9), _model("c", 0.87)]
    chosen = weighted(models, {"a": 0.2, "b": 0.6, "c": 0.2}, 3)
    assert [m.reference for m in chosen] == ["b", "a", "c"]
    least = 0.2 * (0.87 / 0.9) ** 4
    total = 0.8 + least
    assert [m.weight for m in chosen] == pytest.approx([0.6 / total, 0.2 / total, least / total])


def test_a_model_that_only_fits_does_not_score_beside_one_of_the_same_source() -> None:
    models = [_model("own", 0.88), _model("near", 0.87), _model("other", 0.8)]
    chosen = weighted(models, dict.fromkeys(("own", "near", "other"), 1.0), 3)
    assert {m.reference for m in chosen} == {"own", "near"}


def test_only_the_best_that_fit_are_chosen() -> None:
    models = [_model("x", 0.95, REFUSED), _model("a", 0.9), _model("b", 0.89), _model("c", 0.88)]
    chosen = weighted(models, dict.fromkeys("xabc", 1.0), 2)
    assert [m.reference for m in chosen] == ["a", "b"]


def test_the_named_score_and_nobody_else() -> None:
    models = [_model("a", 0.9), _model("x", 0.0, REFUSED)]
    chosen = weighted(models, {"a": 1.0, "x": 1.0}, 3, {"x"})
    assert [(m.reference, m.weight) for m in chosen] == [("x", 1.0)]


def test_nobody_fits() -> None:
    assert weighted([_model("x", 0.5, REFUSED)], {"x": 1.0}, 3) == ()
