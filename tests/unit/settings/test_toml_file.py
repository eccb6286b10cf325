"""Configuration files: errors name the key and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from fraud.errors import InvalidInput
from settings.toml_file import key_error, parse_toml
from training.config import read_config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('seed = "7"', "seed: expected a whole number"),
        ("seed = true", "seed: expected a whole number"),
        ("history_days = 2026-01-01", "history_days: expected a number"),
        ("history_days = nan", "history_days: expected more than 0"),
        ('[xgboost]\nmax_depth = "3"', "xgboost.max_depth: expected a whole number"),
        ("[xgboost]\nmax_depth = 3.5", "xgboost.max_depth: expected a whole number"),
        ("[xgboost]\nmax_depth = 99", "xgboost.max_depth: expected 12 or less"),
        ("xgboost = 3", "xgboost: expected a section"),
        ("[[split]]\ntest_fraction = 0.1", "split: expected a section"),
        (
            'combiner = "stak"',
            "combiner: expected 'choose', 'mean', 'stack', 'rank', 'maximum' or 'majority'",
        ),
        ('variants = "xgboost"', "variants: expected a list"),
        ('[split]\nmethod = "shuffle"', 'split.method: expected "time"'),
        ("[costs]\nreview = 1", "costs.false_block: required, but missing"),
        ("[logistic]\nsteps = 1", "logistic.steps: expected true or false"),
        ("[xgboost]\nmax_depht = 3", "no such key; did you mean max_depth?"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(
    text: str, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_config(path)
    assert expected in refused.value.detail
    assert "nput" not in refused.value.detail
    assert "Value error" not in refused.value.detail


def test_whole_numbers_are_read_as_numbers_and_lists_as_tuples(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text('history_days = 30\nvariants = ["xgboost"]\n[random_forest]\nmax_features = 1')
    config = read_config(path)
    assert config.history_days == 30.0
    assert config.variants == ("xgboost",)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")
    columns: tuple[str, ...] = Field(default=(), validation_alias=AliasChoices("column", "columns"))

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.columns == ("x",):
            raise key_error("column", "must not be x")
        return self


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")
    part: (
        Annotated[
            Annotated[str, Tag("name")] | Annotated[_Section, Tag("table")],
            Discriminator(lambda v: "table" if isinstance(v, dict) else "name"),
        ]
        | None
    ) = None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[part]\ncolumn = 3", "my.toml: part.column: expected a list"),
        ('[part]\ncolumn = ["x"]', "my.toml: part.column: must not be x"),
        ("[part]\ncolunm = []", "my.toml: part.colunm: no such key; did you mean column?"),
        ("[part]\ncolumn = []\ncolumns = []", "part.columns: is already given under another name"),
        ("part = 3", "my.toml: part: expected a text"),
    ],
)
def test_a_key_is_named_as_in_the_file(text: str, expected: str) -> None:
    """The members of a union do not show, and any name of a key does."""
    with pytest.raises(InvalidInput) as refused:
        parse_toml(text, "my.toml", _Document)
    assert expected in refused.value.detail
