"""Generated sets are written as their recipes say."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pc

from data.generator.tables.families import PAYMENTS
from data.load.payment_reader import read_payments
from training.config import TrainConfig
from training.populate.generated_sets import generated_payments, generated_table

CONFIG = TrainConfig()


def test_a_table_of_a_family(tmp_path: Path) -> None:
    recipe = generated_table(PAYMENTS["money-transfers"], 1, 700, CONFIG)
    path = recipe.write(tmp_path, tmp_path)
    table = pc.read_csv(path)
    assert (recipe.name, recipe.label) == ("money-transfers-1", "fraude")
    assert table.num_rows == 700
    assert recipe.label in table.column_names
    other = tmp_path / "again"
    other.mkdir()
    assert recipe.write(other, tmp_path).read_bytes() == path.read_bytes()


def test_a_history_of_payments(tmp_path: Path) -> None:
    recipe = generated_payments("payments", 30, 20, 0.05, CONFIG)
    payments = read_payments(recipe.write(tmp_path, tmp_path), recipe.named_layout())
    assert len(payments) > 300
    assert payments.bad == 0
    assert 0.02 < (payments.label == 1).mean() < 0.1
