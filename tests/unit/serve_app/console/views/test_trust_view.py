"""What speaks for a result and what against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from serve_app.console.views.trust_view import signs_of
from tests.contracts.console_jobs import SUMMARY, done


def words(**more: Any) -> list[str]:
    return [sign.word for sign in signs_of(done(**more))]


def changed(**parts: Any) -> dict[str, Any]:
    return {**SUMMARY, **parts}


def test_each_sign_is_one_sentence() -> None:
    signs = signs_of(done(summary=changed(doubts=["these differ: <a>"])))
    assert [(sign.word, sign.sentence) for sign in signs] == [
        ("good", "The best model is 87\xa0% similar to this file."),
        ("doubt", "These differ: <a>."),
        ("good", "22 of 120,012 rows have no score."),
    ]


def test_a_model_that_was_forced_is_a_doubt() -> None:
    match = done().match
    assert match is not None
    models = tuple(replace(model, forced=True) for model in match.models)
    assert words(match=replace(match, models=models))[0] == "doubt"


def test_columns_that_are_steady_speak_for_a_result() -> None:
    steady = [{"column": "a", "psi": 0.01, "level": "steady"}]
    assert words(summary=changed(doubts=[], drift=steady)) == ["good", "good", "good"]


def test_one_model_is_no_second_opinion() -> None:
    assert words(summary=changed(doubts=[], models=SUMMARY["models"][:1]))[1] == "look"


def test_rows_without_a_score_are_told() -> None:
    rows = {"total": 100, "unscored": 2}
    assert words(summary=changed(rows=rows), rows_failed=0)[-1] == "look"
    rows = {"total": 100, "unscored": 0}
    assert words(summary=changed(rows=rows), rows_failed=0)[-1] == "good"


def test_what_is_not_known_is_not_said() -> None:
    assert words(summary={}, match=None) == []
