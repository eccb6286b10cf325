"""A result as CSV: what a program reads back, and what a spreadsheet must not run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulk.output.csv_file import csv_chunks


def written(path: Path, table: pa.Table) -> str:
    pq.write_table(table, path, row_group_size=3)
    return b"".join(csv_chunks(path)).decode()


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1),
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
)
def test_texts_come_back_but_for_an_apostrophe(tmp_path: Path, cells: list[str], name: str) -> None:
    table = pa.table([pa.array(cells), pa.array(range(len(cells)))], names=[name, name + "_2"])
    rows = read_back(written(tmp_path / "x", table))
    for given_, (found, _) in zip([name, *cells], rows, strict=True):
        assert found in (given_, "'" + given_)
        assert found[:1] not in ("=", "@", "\t", "\r", "\n")
        assert found.strip()[:1] not in ("=", "@")
        if found[:1] in ("+", "-"):
            assert not any(c.isalpha() and c not in "eE" for c in found)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "--1", "-a", "＝1", "+1-2", "-1\n=2", " =1", "\u00a0=1", "\ufeff=1", "\0=1", "\u200b\u3000@a", "  -a", "\x0b+a"])  # fmt: skip  # noqa: E501
def test_formulas_are_defused(tmp_path: Path, text: str) -> None:
    rows = read_back(written(tmp_path / "x", pa.table({"a": [text], "b": [1]})))
    assert rows[1] == ["'" + text, "1"]


@pytest.mark.parametrize(
    "text", ["-12.50", "+3", "-1,5", "-1 234,50", "-1.5e-07", "-.5", "-5%", " -5 "]
)
def test_numbers_in_texts_stay(tmp_path: Path, text: str) -> None:
    rows = read_back(written(tmp_path / "x", pa.table({"a": [text], "b": [-1.5]})))
    assert rows[1] == [text, "-1.5"]


def test_every_type_has_a_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([-1, None], pa.int64()),
            "real": pa.array([-1.25, 1e-7], pa.float64()),
            "single": pa.array([57.16, None], pa.float32()),
            "yes": [True, None],
            "exact": pa.array([Decimal("1.50"), None]),
            "at": pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("ms", "UTC")),
            "day": [date(2026, 1, 2), None],
            "code": pa.array(["=x", "y"]).dictionary_encode(),
            "bytes": pa.array([b"ab", b"\xff"]),
            "none": pa.nulls(2),
        }
    )
    rows = read_back(written(tmp_path / "x", table))
    assert rows[0] == table.column_names
    assert rows[1] == [
        *("-1", "-1.25", "57.16", "true", "1.50", "2026-01-02 03:00:00+00:00", "2026-01-02"),
        *("'=x", "ab", ""),
    ]
    assert rows[2] == ["", "1e-7", "", "", "", "", "", "y", "", ""]


def test_rows_end_as_rfc_4180_says(tmp_path: Path) -> None:
    text = written(tmp_path / "x", pa.table({"a": ['x"y', "p,q", "r\ns"], "b": ["1", "2", None]}))
    assert text == 'a,b\r\n"x""y",1\r\n"p,q",2\r\n"r\ns",\r\n'


def test_an_empty_table_has_a_header(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())})
    assert written(tmp_path / "x", table) == "a,b\r\n"


def test_chunks_are_small(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x" * 10] * 100_000}), tmp_path / "x")
    assert max(map(len, csv_chunks(tmp_path / "x"))) < 100_000


def test_chunks_of_long_rows_are_small(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x" * 1_000_000] * 100}), tmp_path / "x")
    chunks = list(csv_chunks(tmp_path / "x"))
    assert max(map(len, chunks)) < 20_000_000
    assert sum(map(len, chunks)) == 3 + 100 * 1_000_002


def test_other_separators_are_in_quotes(tmp_path: Path) -> None:
    # A spreadsheet may split at these as well.
    text = written(tmp_path / "x", pa.table({"a": ["x;=1", "x\t=1"], "b": [1, 2]}))
    assert text.split("\r\n")[1:3] == ['"x;=1",1', '"x\t=1",2']


def test_times_beyond_the_calendar_are_empty(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([2**62, 0], pa.timestamp("us")), "b": [1, 2]})
    assert [row[0] for row in read_back(written(tmp_path / "x", table))[1:]] == [
        "",
        "1970-01-01 00:00:00",
    ]
