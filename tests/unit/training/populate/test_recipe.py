"""A recipe: its digest says whether it changed, and what it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data.generator.tables.families import PAYMENTS
from training.config import TrainConfig
from training.populate.generated_sets import generated_payments, generated_table
from training.populate.recipe import Recipe

CONFIG = TrainConfig()
RECIPE = generated_table(PAYMENTS["card-present"], 1, 900, CONFIG)


def test_the_digest_changes_with_everything_that_decides_the_models() -> None:
    changed = [
        replace(RECIPE, name="other"),
        replace(RECIPE, made_from="other"),
        replace(RECIPE, layout="ulb"),
        replace(RECIPE, kind="history"),
        replace(RECIPE, config=TrainConfig(seed=8)),
        generated_table(PAYMENTS["card-present"], 1, 901, CONFIG),
        generated_table(PAYMENTS["card-present"], 2, 900, CONFIG),
    ]
    assert len({RECIPE.digest, *(recipe.digest for recipe in changed)}) == 1 + len(changed)
    assert generated_table(PAYMENTS["card-present"], 1, 900, CONFIG).digest == RECIPE.digest
    assert replace(RECIPE, about="other words").digest == RECIPE.digest


def test_a_public_set_is_there_or_not(tmp_path: Path) -> None:
    public = replace(RECIPE, needs="some_set")
    assert RECIPE.is_there(tmp_path)
    assert not public.is_there(tmp_path)
    (tmp_path / "some_set").mkdir()
    (tmp_path / "some_set" / "x.parquet").touch()
    assert public.is_there(tmp_path)


def test_models_are_named_after_the_recipe() -> None:
    payments: Recipe = generated_payments("mine", 10, 5, 0.02, CONFIG)
    layout = payments.named_layout()
    assert layout.name == "mine"
    assert layout.text["customer_id"].columns == ("customer_id",)
