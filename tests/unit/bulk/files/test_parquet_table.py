"""Parquet files of any types, and those that claim or hold too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.files import parquet_table
from bulk.files.parquet_table import MAX_CELL, ParquetTable
from bulk.files.refused import FileRefused

GIB = 1 << 30


def table_of(
    path: Path, columns: dict[str, Any], max_bytes: int = GIB, **form: Any
) -> ParquetTable:
    pq.write_table(pa.table(columns), path, **form)
    return ParquetTable(path, max_bytes)


def test_rows_are_numbered_and_keep_their_types(tmp_path: Path) -> None:
    columns = {
        "number": pa.array([1, None, 3]),
        "text": pa.array(["x", None, "é"]),
        "long": pa.array(["x", "y", None], pa.large_string()),
        "code": pa.array(["p", "q", "p"]).dictionary_encode(),
        "view": pa.array(["p", "q", "p"], pa.string_view()),
        "bytes": pa.array([b"1", b"\xff", None]),
        "at": pa.array([1, 2, 3], pa.timestamp("us", "UTC")),
    }
    table = table_of(tmp_path / "x", columns, row_group_size=2)
    chunks = list(table.chunks())
    assert [chunk.rows.tolist() for chunk in chunks] == [[1, 2], [3]]
    assert [chunk.rows_done for chunk in chunks] == [2, 3]
    assert chunks[-1].share == 1
    found = {name: pa.concat_arrays([chunk.columns[name] for chunk in chunks]) for name in columns}
    assert {name: cells.to_pylist() for name, cells in found.items()} == {
        name: cells.to_pylist() for name, cells in columns.items()
    }
    assert found["code"].type == found["view"].type == pa.string()
    assert found["long"].type == pa.large_string()


def test_what_the_file_says_of_its_size(tmp_path: Path) -> None:
    columns = {"a": list(range(10_000)), "b": list(range(10_000))}
    table_of(tmp_path / "x", columns).check()
    with pytest.raises(FileRefused) as caught:
        table_of(tmp_path / "x", columns, 50_000).check()
    assert caught.value.code == "too-large"


def test_one_value_repeated_many_times(tmp_path: Path) -> None:
    # Some hundred bytes in the file, by run lengths of a dictionary.
    table = table_of(tmp_path / "x", {"a": pa.nulls(1_000_000), "b": [7] * 1_000_000}, 1_500_000)
    assert (tmp_path / "x").stat().st_size < 10_000
    with pytest.raises(FileRefused) as caught:
        table.check()
    assert caught.value.code == "too-large"


def test_a_row_group_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_table, "_MAX_CHUNK", 10_000)
    columns = {"a": [f"text {i}" for i in range(5_000)], "b": [1] * 5_000}
    with pytest.raises(FileRefused) as caught:
        table_of(tmp_path / "x", columns).check()
    assert caught.value.code == "bomb"
    table_of(tmp_path / "x", columns, row_group_size=500).check()


def test_a_cell_that_is_too_long(tmp_path: Path) -> None:
    for length, sound in ((MAX_CELL, True), (MAX_CELL + 1, False)):
        table = table_of(tmp_path / "x", {"a": ["x", "y" * length], "b": [1, 2]})
        if sound:
            assert len(list(table.chunks())) == 1
            continue
        with pytest.raises(FileRefused) as caught:
            list(table.chunks())
        assert (caught.value.code, caught.value.column) == ("too-long", "a")


def test_long_cells_in_every_row(tmp_path: Path) -> None:
    # 1 MB in the file, 5 GB in memory if each row had its own.
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000), pa.array(["y" * MAX_CELL]))
    table = table_of(tmp_path / "x", {"a": repeated, "b": [1] * 5_000})
    with pytest.raises(FileRefused) as caught:
        list(table.chunks())
    assert caught.value.code == "too-long"


def test_the_first_rows_of_a_group(tmp_path: Path) -> None:
    table = table_of(tmp_path / "x", {"a": list(range(100)), "b": ["x"] * 100}, row_group_size=40)
    assert table.group_rows() == [40, 40, 20]
    assert table.first_rows(1, 5, GIB)["a"].to_pylist() == [40, 41, 42, 43, 44]
    assert table.first_rows(2, 500, GIB).num_rows == 20


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    table_of(path, {"a": [f"{i}" for i in range(10_000)], "b": [1] * 10_000})
    content = bytearray(path.read_bytes())
    content[20:2000] = bytes(1980)
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        list(ParquetTable(path, GIB).chunks())
    assert caught.value.code == "damaged"
    path.write_bytes(content[:-100])
    with pytest.raises(FileRefused) as caught:
        ParquetTable(path, GIB).check()
    assert caught.value.code == "damaged"


def test_texts_that_are_not_utf_8(tmp_path: Path) -> None:
    bad = pa.array([b"fine", b"\xff\xfe"]).view(pa.string())
    for cells in (bad, bad.dictionary_encode(), bad.cast(pa.large_string())):
        table = table_of(tmp_path / "x", {"a": [1, 2], "b": cells})
        with pytest.raises(FileRefused, match="column b") as caught:
            list(table.chunks())
        assert (caught.value.code, caught.value.column) == ("damaged", "b")


def test_a_tensor_is_nested(tmp_path: Path) -> None:
    stored = pa.array([[1.0, 2.0]] * 2, pa.list_(pa.float32(), 2))
    tensor = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), [2]), stored)
    with pytest.raises(FileRefused) as caught:
        table_of(tmp_path / "x", {"a": [1, 2], "b": tensor}).check()
    assert (caught.value.code, caught.value.column) == ("nested-column", "b")


def test_a_batch_of_wide_cells_has_few_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cell of fixed width that every row repeats takes little room in the file.
    monkeypatch.setattr(parquet_table, "_MAX_BATCH", 100_000)
    wide = pa.array([b"x" * 1_000] * 5_000, pa.binary(1_000))
    columns = {"n": pa.array(range(5_000)), "wide": wide}
    table = table_of(tmp_path / "x", columns)
    assert (tmp_path / "x").stat().st_size < 100_000
    sizes = [chunk.columns["wide"].nbytes for chunk in table.chunks()]
    assert sum(sizes) >= 5_000_000
    assert max(sizes) <= 100_000
    monkeypatch.setattr(parquet_table, "MAX_CELL", 999)
    with pytest.raises(FileRefused) as caught:
        table.check()
    assert (caught.value.code, caught.value.column) == ("too-long", "wide")


def test_the_first_rows_are_bounded_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_table, "_BATCH_ROWS", 100)
    table = table_of(tmp_path / "x", {"a": range(10_000), "b": range(10_000)})
    assert table.first_rows(0, 5_000, 1 << 30).num_rows == 5_000
    assert table.first_rows(0, 5_000, 8_000).num_rows == 500
    assert table.first_rows(0, 5_000, 1).num_rows == 100
