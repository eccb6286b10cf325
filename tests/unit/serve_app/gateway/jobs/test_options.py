"""Options of jobs as callers send them."""

from __future__ import annotations

import pytest

from bulk.jobs.options import JobOptions
from fraud.errors import InvalidInput
from serve_app.gateway.jobs.options import changed_options, read_options


def faults(**document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        read_options(document)
    assert "secret" not in str(refused.value.errors)
    return [(pointer, code) for pointer, code, _ in refused.value.errors]


def test_every_option_has_a_default() -> None:
    assert read_options({}) == JobOptions.model_validate({})


def test_every_fault_is_named_and_no_value_repeated() -> None:
    assert faults(models="secret", format="secret") == [
        ("/options/models", "invalid"),
        ("/options/format", "invalid"),
    ]
    assert faults(columns={"secret": 3}) == [("/options/columns", "invalid")]
    assert faults(modells=3) == [("/options/modells", "unknown_field")]
    assert faults(**{"secret value": 3}) == [("/options", "unknown_field")]
    assert faults(high=0.1, medium=0.2) == [("/options", "invalid")]


def test_texts_of_numbers_are_numbers_in_forms_alone() -> None:
    assert faults(models="2", confirm="false") == [
        ("/options/models", "invalid"),
        ("/options/confirm", "invalid"),
    ]
    options = read_options({"models": "2", "confirm": "false"}, "", strict=False)
    assert (options.models, options.confirm) == (2, False)


def test_what_a_caller_does_not_change_stays() -> None:
    options = read_options({"models": 2, "ignore": ["x"], "high": 0.9})
    changed = changed_options(options, {"models": 1, "convert": {"a": "percent"}})
    assert changed == read_options(
        {"models": 1, "ignore": ["x"], "high": 0.9, "convert": {"a": "percent"}}
    )
    assert changed_options(options, {}) is options


def test_a_text_that_the_database_cannot_hold_is_refused() -> None:
    assert faults(ignore=["a\0b"]) == [("/options", "invalid")]
    assert faults(dialect={"quote": ["\\\0"]}) == [("/options", "invalid")]
    assert read_options({"ignore": ["\\u0000"]}).ignore == ("\\u0000",)
