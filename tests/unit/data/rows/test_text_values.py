"""Texts of a row: the same in every container, mapped by the layout."""

from __future__ import annotations

import pyarrow as pa
import pytest

from data.files.source import Chunk
from data.layout.layout import load_layout
from data.rows.canonical import canonical_rows
from tests.contracts.chunks import chunk, layout


def test_ids_that_became_floats_keep_their_digits() -> None:
    part = chunk({}, {})
    columns = {**part.columns, "card": pa.array([2291163933867244.0, None])}
    found = canonical_rows(Chunk(part.rows, part.lines, columns), layout(), "tag")
    assert found.table["customer_id"].to_pylist() == ["2291163933867244"]
    assert found.bad[0].code == "missing"


def test_texts_are_the_same_however_a_file_keeps_them() -> None:
    part = chunk({}, {}, {})
    for cells in (["17", "17.0", "1.10"], [b"17", b"17.0", b"1.10"]):
        columns = {**part.columns, "card": pa.array(cells)}
        found = canonical_rows(Chunk(part.rows, part.lines, columns), layout(), "tag")
        assert found.table["customer_id"].to_pylist() == ["17", "17", "1.10"]


def test_row_numbers_as_ids_carry_the_tag_of_their_file() -> None:
    part = chunk({})
    cells = {"step": 1, "type": "DEBIT", "amount": 5.0, "nameOrig": "C1", "nameDest": "M2"}
    columns = {k: pa.array([v]) for k, v in {**cells, "isFraud": 1.0}.items()}
    found = canonical_rows(Chunk(part.rows, part.lines, columns), load_layout("paysim"), "ab12cd34")
    [row] = found.table.to_pylist()
    assert row["transaction_id"] == "ps-ab12cd34-1"
    assert (row["merchant_id"], row["counterparty_id"]) == ("M2", None)
    assert row["is_fraud"] is True


@pytest.mark.parametrize("cell", ["4.0", 4.0, "4"])
def test_values_match_the_layout_in_any_spelling(cell: object) -> None:
    changed = layout(('BUY = "purchase"', '"4.0" = "purchase"'))
    assert canonical_rows(chunk({"kind": cell}), changed, "tag").table["type"].to_pylist() == [
        "purchase"
    ]


def test_na_is_namibia_as_a_country_and_an_own_list_of_markers_counts() -> None:
    found = canonical_rows(chunk({"land": "NA"}, {"land": "NULL"}), layout(), "tag")
    assert found.table["country"].to_pylist() == ["NA", None]
    own = layout(("[columns]", '[file]\nmissing = ["?", "0"]\n[columns]'))
    found = canonical_rows(chunk({"card": "?"}, {"card": "0.0"}, {"card": "NULL"}), own, "tag")
    assert [b.row for b in found.bad] == [1, 2]
    assert found.table["customer_id"].to_pylist() == ["NULL"]
    field = layout(('country = "land"', 'country = { column = "land", missing = ["NA"] }'))
    assert canonical_rows(chunk({"land": "NA"}), field, "t").table["country"].to_pylist() == [None]


def test_one_id_of_several_columns() -> None:
    both = ('transaction_id = "id"', 'transaction_id = { columns = ["id", "to"], join = ":" }')
    rows = [{"id": "17.0"}, {"id": "a:b"}, {"id": None}, {"id": None, "to": None}]
    found = canonical_rows(chunk(*rows), layout(both), "tag")
    assert found.table["transaction_id"].to_pylist() == ["17:M7"]
    assert [(b.row, b.code) for b in found.bad] == [(2, "unclear"), (3, "unclear"), (4, "missing")]
