"""Files of settings: what cannot be is refused by key, with what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from fraud.errors import InvalidInput
from settings.toml_file import key_error, parse_toml
from training.config import read_config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('seed = "7"', "seed: take a whole number"),
        ("seed = true", "seed: take a whole number"),
        ("history_days = 2026-01-01", "history_days: take a number"),
        ("history_days = nan", "history_days: take more than 0"),
        ('[xgboost]\nmax_depth = "3"', "xgboost.max_depth: take a whole number"),
        ("[xgboost]\nmax_depth = 3.5", "xgboost.max_depth: take a whole number"),
        ("[xgboost]\nmax_depth = 99", "xgboost.max_depth: take 12 or less"),
        ("xgboost = 3", "xgboost: take a section"),
        ("[[split]]\ntest_fraction = 0.1", "split: take a section"),
        ('combiner = "stak"', "combiner: take 'choose', 'mean' or 'stack'"),
        ('variants = "xgboost"', "variants: take a list"),
        ('[split]\nmethod = "shuffle"', 'split.method: take "time"'),
        ("[costs]\nreview = 1", "costs.false_block: has to be there"),
        ("[logistic]\nsteps = 1", "logistic.steps: take true or false"),
        ("[xgboost]\nmax_depht = 3", "there is no such key; did you mean max_depth?"),
    ],
)
def test_what_cannot_be_is_refused_in_words_of_our_own(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_config(path)
    assert said in refused.value.detail
    assert "nput" not in refused.value.detail
    assert "Value error" not in refused.value.detail


def test_whole_numbers_do_for_numbers_and_lists_for_several(tmp_path: Path) -> None:
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
    ("text", "said"),
    [
        ("[part]\ncolumn = 3", "my.toml: part.column: take a list"),
        ('[part]\ncolumn = ["x"]', "my.toml: part.column: must not be x"),
        ("[part]\ncolunm = []", "my.toml: part.colunm: there is no such key; did you mean column?"),
        ("[part]\ncolumn = []\ncolumns = []", "part.columns: is given by another key already"),
        ("part = 3", "my.toml: part: take a text"),
    ],
)
def test_a_key_is_named_as_in_the_file(text: str, said: str) -> None:
    """Not by the members of a union, and by any of its names."""
    with pytest.raises(InvalidInput) as refused:
        parse_toml(text, "my.toml", _Document)
    assert said in refused.value.detail
