"""The same table as another source would write it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loadtests.bench.offline.matching.part import Part
from loadtests.bench.offline.matching.variants import FRENCH, RENAMED, variants
from tests.contracts.matching import card_table

TABLE = card_table(700, 1).rename_columns(["nr", "nameOrig", "when", "amount", "merchant"])
PART = Part("cards", "cards", TABLE, np.zeros(700, np.bool_), {})


def test_variants_change_names_order_width_and_scale_but_no_rows() -> None:
    found = {one.change: one for one in variants(PART, np.random.default_rng(1))}
    assert found["as it is"].part is PART
    assert found["French names"].part.table.column_names[1] == FRENCH["nameOrig"]
    shuffled = found["shuffled columns"].part.table.column_names
    assert sorted(shuffled) == sorted(TABLE.column_names)
    assert found["more columns"].part.table.num_columns == TABLE.num_columns + 3
    assert found["600 rows"].part.table == TABLE.slice(0, 600)
    assert found["600 rows"].part.label.size == 600
    cents = found["cents, confirmed"]
    assert cents.convert == {"amount": "minor-to-major"}
    assert cents.part.table.column("amount").to_pylist() == [
        round(100 * amount) for amount in TABLE.column("amount").to_pylist()
    ]


def test_texts_read_as_the_same_numbers() -> None:
    found = {one.change: one.part.table for one in variants(PART, np.random.default_rng(1))}
    assert set(found["texts"].schema.types) == {pa.string()}
    assert pc.cast(found["texts"].column("amount"), pa.float64()) == TABLE.column("amount")


def test_every_column_gets_another_name() -> None:
    for names in (FRENCH, RENAMED):
        assert not {old for old, new in names.items() if old == new}
