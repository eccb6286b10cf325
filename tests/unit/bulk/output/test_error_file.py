"""Rows that could not be read, as CSV."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from bulk.output.error_file import ERROR_SCHEMA, error_lines, error_table


def test_lines_columns_and_reasons(tmp_path: Path) -> None:
    rows = [(1, 2, "", "wrong-number-of-values", "has 3 values, the header has 2")]
    rows.append((9, 12, "=a", "not-csv", "the quotes are broken: ',' expected after '\"'"))
    pq.write_table(error_table(rows), tmp_path / "x")
    assert pq.read_schema(tmp_path / "x").equals(ERROR_SCHEMA)
    assert b"".join(error_lines(tmp_path / "x")).decode() == (
        "line,column,reason\r\n"
        '2,,"has 3 values, the header has 2"\r\n'
        "12,'=a,\"the quotes are broken: ',' expected after '\"\"'\"\r\n"
    )


def test_no_errors(tmp_path: Path) -> None:
    pq.write_table(ERROR_SCHEMA.empty_table(), tmp_path / "x")
    assert b"".join(error_lines(tmp_path / "x")) == b"line,column,reason\r\n"
