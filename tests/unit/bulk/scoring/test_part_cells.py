"""Columns of a part, read once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bulk.scoring.part_cells import PartCells, cells_of


def test_each_column_is_read_once():
    cells = cells_of(pa.table({"x": ["1", "NA"], "k": ["a", "b"]}), ["x", "k"], ".", ["NA"])
    assert cells.numbers("x") is cells.numbers("x")
    assert cells.numbers("x", ["NA"]) is cells.numbers("x")
    assert np.isnan(cells.numbers("x", ["1"])[0])
    assert cells.codes("k") is cells.codes("k")
    assert cells.codes("k", ["a"]) is not cells.codes("k")
    assert np.isnan(cells.codes("k", ["a"])[0])


def test_only_wanted_columns_are_kept():
    cells = cells_of(pa.table({"x": ["1"], "y": ["2"]}), ["x", "z"], ".", [])
    assert "x" in cells
    assert "y" not in cells
    assert None not in cells
    assert len(cells) == 1


def test_columns_in_chunks_and_dictionaries():
    column = pa.chunked_array([pa.array(["1", "2"]), pa.array(["3"])])
    coded = pa.chunked_array([pa.array(["1", "2"]), pa.array(["3"])]).dictionary_encode()
    table = pa.table({"x": column, "k": coded})
    cells = cells_of(table, ["x", "k"], ".", [])
    assert cells.numbers("x").tolist() == [1, 2, 3]
    assert cells.numbers("k").tolist() == [1, 2, 3]


def test_a_table_without_rows():
    cells = cells_of(pa.table({"x": pa.array([], pa.string())}), ["x"], ".", [])
    assert cells.numbers("x").shape == (0,)


def test_times_are_seconds_since_1970():
    cells = PartCells({"t": pa.array(["1970-01-02T00:00:00Z", "", "x"])}, 3, ".", [])
    found = cells.epoch_s("t", "iso")
    assert found[0] == 86_400
    assert np.isnan(found[1:]).all()
