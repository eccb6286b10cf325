"""The errors of a job, of reading it and of replaying it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.paths import ROW
from bulk.output.error_file import ERROR_SCHEMA
from bulk.scoring.history.rejected_rows import add_rejected, rejected_rows, write_rejected
from data.files.chunk import BadRow
from data.layout.layout import load_layout


def rejected(path):
    bad = [
        BadRow(3, 4, "amount", "missing", "is missing (column TX_AMOUNT)"),
        BadRow(9, 10, "timestamp", "not_a_time", "must be a time (column TX_DATETIME)"),
    ]
    layout = load_layout("handbook")
    # Read twice, for models that take other columns: what is wrong is told once.
    write_rejected(path, [(bad, layout), (bad[1:], layout)], 7)


def test_columns_are_named_as_in_the_file(tmp_path):
    rejected(tmp_path / "r.parquet")
    assert rejected_rows(tmp_path / "r.parquet") == 7
    assert pq.read_table(tmp_path / "r.parquet").to_pylist() == [
        {ROW: 3, "line": 4, "column": "TX_AMOUNT", "code": "missing", "reason": "is missing"},
        {
            ROW: 9,
            "line": 10,
            "column": "TX_DATETIME",
            "code": "not_a_time",
            "reason": "must be a time",
        },
    ]


def test_they_join_the_other_errors_once(tmp_path):
    errors, path = tmp_path / "errors.parquet", tmp_path / "r.parquet"
    rejected(path)
    torn = {ROW: 5, "line": 6, "column": "", "code": "malformed", "reason": "has 3 cells"}
    pq.write_table(pa.Table.from_pylist([torn], ERROR_SCHEMA), errors)
    for _ in range(2):
        add_rejected(errors, path)
        assert [one["line"] for one in pq.read_table(errors).to_pylist()] == [4, 6, 10]


def test_without_other_errors_or_without_a_replay(tmp_path):
    errors, path = tmp_path / "errors.parquet", tmp_path / "r.parquet"
    add_rejected(errors, path)
    assert not errors.exists()
    rejected(path)
    add_rejected(errors, path)
    assert pq.read_table(errors).num_rows == 2
