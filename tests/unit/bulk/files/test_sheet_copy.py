"""Cells of workbooks as columns."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.files.sheet_copy import column_of
from bulk.files.workbook import copy_sheet
from tests.contracts.workbooks import ods, xls, xlsx, xlsx_of

THREE = datetime.fromisoformat("2026-01-02T03:00")


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ([1.0, 2, ""], pa.int64(), [1, 2, None]),
        ([1.5, 2, ""], pa.float64(), [1.5, 2.0, None]),
        ([1e300, 1.0], pa.float64(), [1e300, 1.0]),
        ([True, "", False], pa.bool_(), [True, None, False]),
        ([THREE.date(), THREE], pa.timestamp("us"), [datetime.fromisoformat("2026-01-02"), THREE]),
        (["a", 17.0, 1.5, True, ""], pa.string(), ["a", "17", "1.5", "true", None]),
        ([True, 1.0], pa.string(), ["true", "1"]),
        ([THREE, "x"], pa.string(), ["2026-01-02 03:00:00", "x"]),
        ([time(3, 4), ""], pa.string(), ["03:04:00", None]),
        (["", ""], pa.string(), [None, None]),
    ],
)
def test_cells_of_a_column(cells: list[Any], kind: pa.DataType, values: list[Any]) -> None:
    column = column_of(cells)
    assert column.type == kind
    assert column.to_pylist() == values


ROWS = [["id", "amount", None], [None, None, None], ["a", 1.5, None], ["b", 3.0, None]]


@pytest.mark.parametrize("content", [xlsx({"One": ROWS}), ods(ROWS), xls(ROWS)])
def test_blank_rows_and_nameless_empty_columns_are_left_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    copy, sheet, notes = copy_sheet(path)
    table = pq.read_table(copy)
    assert (sheet, notes) == ("One", ())
    assert table.to_pylist() == [{"id": "a", "amount": 1.5}, {"id": "b", "amount": 3.0}]


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(xlsx({"Old": [["x", "y"], [1, 2]], "New": ROWS}, hidden=["Old"]))
    assert copy_sheet(path)[1] == "New"


def test_dates(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    body = '<row><c t="str"><v>a</v></c><c t="str"><v>at</v></c></row>'
    body += '<row><c><v>1</v></c><c s="1"><v>45000.5</v></c></row>'
    path.write_bytes(xlsx_of({"One": body}))
    table = pq.read_table(copy_sheet(path)[0])
    assert table.to_pylist() == [{"a": 1, "at": datetime.fromisoformat("2023-03-15T12:00")}]
