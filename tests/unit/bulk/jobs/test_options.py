"""Options of a job: what a caller may choose, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bulk.jobs.options import MAX_MODELS, JobOptions


@pytest.mark.parametrize(
    ("chosen", "field", "said"),
    [
        ({"treshold": 0.5}, "treshold", "Extra inputs"),
        ({"models": 0}, "models", "greater than or equal to 1"),
        ({"models": MAX_MODELS + 1}, "models", f"less than or equal to {MAX_MODELS}"),
        ({"high": 1.0}, "high", "less than 1"),
        ({"medium": 0.0}, "medium", "greater than 0"),
        ({"review": 0}, "review", "greater than or equal to 1"),
        ({"recalibrate": "always"}, "recalibrate", "'auto' or 'never'"),
        ({"format": "xlsx"}, "format", "'csv' or 'parquet'"),
        ({"high": 0.3, "medium": 0.3}, None, "medium must be below high"),
        ({"model": ["m"] * (MAX_MODELS + 1)}, None, f"model: at most {MAX_MODELS}"),
        ({"ignore": ["x"], "columns": {"x": "amount"}}, None, "ignore: x is also"),
        ({"ignore": ["x"], "convert": {"x": "minor-to-major"}}, None, "ignore: x is also"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(
    chosen: dict[str, Any], field: str | None, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        JobOptions.model_validate(chosen)
    (error,) = caught.value.errors()
    assert error["loc"] == (() if field is None else (field,))
    assert said in error["msg"]


def test_as_many_models_as_allowed_may_be_named() -> None:
    names = tuple(f"m{i}" for i in range(MAX_MODELS))
    assert JobOptions(model=names, models=MAX_MODELS).model == names


def test_options_are_the_same_after_a_stay_in_the_table() -> None:
    options = JobOptions(
        models=2,
        model=("cards@0123456789ab",),
        columns={"montant": "amount", "note": ""},
        convert={"montant": "minor-to-major"},
        ignore=("fraude",),
        review=100,
        format="parquet",
        dialect={"delimiter": ";", "names": ["a", "b"]},
    )
    assert JobOptions.model_validate_json(options.model_dump_json()) == options


def test_options_do_not_change_once_they_are_checked() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        JobOptions().medium = 0.9  # type: ignore[misc]
