"""Cells as numbers and codes."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

from references.matching.columns.cells import Cells


def test_texts_are_read_with_the_files_decimal_sign() -> None:
    cells = Cells(pa.table({"a": ["1,5", "2,5", "n/a", "x"]}), decimal=",", missing=("n/a",))
    np.testing.assert_equal(cells.numbers("a"), [1.5, 2.5, np.nan, np.nan])
    assert cells.unreadable("a") == 1 / 3


def test_equal_texts_have_equal_codes() -> None:
    cells = Cells(pa.table({"a": ["food", "books", "FOOD", None]}), decimal=".", missing=())
    codes = cells.codes("a")
    assert codes[0] == codes[2] != codes[1]
    assert np.isnan(codes[3])


def test_times_are_not_numbers() -> None:
    table = pa.table({"a": [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)]})
    cells = Cells(table, decimal=".", missing=())
    assert np.isnan(cells.numbers("a")).all()
    assert cells.unreadable("a") == 1


def test_rows_are_spread_over_the_table() -> None:
    cells = Cells(pa.table({"a": range(1000)}), decimal=".", missing=(), most=3)
    assert cells.size == 3
    first, middle, last = cells.numbers("a")
    assert (first, last) == (0, 999)
    assert 400 < middle < 600
    assert "a" in cells
    assert "b" not in cells


def test_an_empty_table_has_no_cells() -> None:
    cells = Cells(pa.table({"a": pa.array([], pa.string())}), decimal=".", missing=())
    assert cells.numbers("a").shape == (0,)
