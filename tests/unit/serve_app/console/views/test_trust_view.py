"""What speaks for a result and what against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from serve_app.console.views.trust_view import signs_of
from tests.contracts.console_jobs import SUMMARY, done


def words(**more: Any) -> list[str]:
    return [sign.word for sign in signs_of(done(**more))]


def changed(**parts: Any) -> dict[str, Any]:
    return {**SUMMARY, **parts}


def test_each_sign_is_one_sentence() -> None:
    assert [(sign.word, sign.sentence) for sign in signs_of(done())] == [
        ("good", "The best model is 87\xa0% similar to this file."),
        ("look", "1 of 4 matched columns differs much from training: montant."),
        ("good", "The models put the rows in much the same order (rank correlation 0.83)."),
        ("good", "22 of 120,012 rows have no score."),
    ]


def test_a_model_that_was_forced_is_a_doubt() -> None:
    match = done().match
    assert match is not None
    models = tuple(replace(model, forced=True) for model in match.models)
    assert words(match=replace(match, models=models))[0] == "doubt"


def test_many_columns_that_differ_are_a_doubt_and_some_are_named() -> None:
    columns = [{"column": name, "psi": 0.9, "level": "large"} for name in "abcde"]
    sign = signs_of(done(summary=changed(drift=columns)))[1]
    assert (sign.word, sign.style) == ("doubt", "bad")
    assert sign.sentence.endswith(": a, b, c and others.")
    steady = [{"column": "a", "psi": 0.01, "level": "steady"}]
    assert words(summary=changed(drift=steady))[1] == "good"


@pytest.mark.parametrize(("mean", "word"), [(0.7, "good"), (0.5, "look"), (0.1, "doubt")])
def test_models_that_agree(mean: float, word: str) -> None:
    assert words(summary=changed(agreement=mean))[2] == word


def test_one_model_is_no_agreement() -> None:
    assert words(summary=changed(models=SUMMARY["models"][:1], agreement=None))[2] == "look"


def test_rows_without_a_score_are_told() -> None:
    rows = {"total": 100, "unscored": 2}
    assert words(summary=changed(rows=rows), rows_failed=0)[3] == "look"
    rows = {"total": 100, "unscored": 0}
    assert words(summary=changed(rows=rows), rows_failed=0)[3] == "good"


def test_what_is_not_known_is_not_said() -> None:
    assert words(summary={}, match=None) == []
