"""The label among the columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from references.matching.columns.label_column import label_columns

FLAGS = ["0"] * 98 + ["1"] * 2


@pytest.mark.parametrize("name", ["is_fraud", "Class", "label", "isFraud", "fraude"])
def test_a_flag_with_the_name_of_a_label_is_one(name: str) -> None:
    assert label_columns(pa.table({"a": range(100), name: FLAGS}), (), ()) == [name]


def test_numbers_are_flags_too() -> None:
    table = pa.table({"isFraud": [float(flag) for flag in FLAGS]})
    assert label_columns(table, (), ()) == ["isFraud"]


def test_the_name_of_a_references_label_is_enough() -> None:
    table = pa.table({"Verdict": ["keep"] * 90 + ["drop"] * 10})
    assert label_columns(table, (), ()) == []
    assert label_columns(table, ("verdict",), ()) == ["Verdict"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("class", ["economy", "business"] * 50),  # two values, of another meaning
        ("class", ["1"] * 90 + ["0"] * 10),  # most rows are no frauds
        ("is_fraud", ["0"] * 100),  # it says nothing
        ("is_fraud", [str(i) for i in range(100)]),
        ("card_present", FLAGS),
    ],
)
def test_other_columns_are_not(name: str, values: list[str]) -> None:
    assert label_columns(pa.table({name: values}), (), ()) == []


def test_an_ignored_column_is_not_looked_at() -> None:
    assert label_columns(pa.table({"is_fraud": FLAGS}), (), ("is_fraud",)) == []
