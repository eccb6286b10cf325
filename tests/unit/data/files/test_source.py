"""Lines are counted right, a broken row costs that row only, and rows are skipped by number."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.files import source
from data.files.source import Chunk, SourceUnreadable, open_source
from data.layout.fields import CsvDialect

AB = frozenset({"a", "b"})


def read(path: Path, skip: int = 0, limit: int | None = None) -> list[Chunk]:
    return list(open_source(path).chunks(AB, skip, limit))


def test_csv_lines_and_rows_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        b"\xef\xbb\xbfa,b\r\n"  # 1: a byte order mark
        b"1,x\r\n"  # 2
        b'2,"y\r\ny"\r\n'  # 3-4: a line break in quotes
        b"\r\n"  # 5: blank
        b"3,z,extra\r\n"  # 6
        b'4,"stray\r\n'  # 7
        b"5,fine\r\n"  # 8
        b"6,caf\xe9\r\n"  # 9: not UTF-8
        b"7,last"  # 10
    )
    [chunk] = read(path)
    assert chunk.columns["a"].to_pylist() == ["1", "2", "5", "7"]
    assert chunk.columns["b"].to_pylist() == ["x", "y\r\ny", "fine", "last"]
    assert chunk.lines.tolist() == [2, 3, 8, 10]
    assert [(b.line, b.code) for b in chunk.bad] == [
        (6, "malformed"),
        (7, "malformed"),
        (9, "malformed"),
    ]
    assert chunk.rows_done == 7
    assert sorted([*chunk.rows.tolist(), *(b.row for b in chunk.bad)]) == [1, 2, 3, 4, 5, 6, 7]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,x\n2," + b"y" * 2_000_000 + b"\n3,z\n")
    [chunk] = read(path)
    assert chunk.columns["a"].to_pylist() == ["1", "3"]
    assert chunk.bad


@pytest.mark.parametrize("skip", [0, 3, 10, 11, 25, 30])
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_chunks_after_a_skip_are_the_rest_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip: int, kind: str
) -> None:
    monkeypatch.setattr(source, "ROWS_PER_CHUNK", 7)
    path = tmp_path / f"x.{kind}"
    table = pa.table({"b": [str(i) for i in range(30)], "a": [f"r{i}" for i in range(30)]})
    text = "b,a\n" + "".join(f"{i},r{i}\n" for i in range(30))
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=11)
    else:
        path.write_bytes(gzip.compress(text.encode()) if kind == "csv.gz" else text.encode())
    chunks = read(path, skip, 28)
    got = [v for c in chunks for v in c.columns["a"].to_pylist()]
    assert got == [f"r{i}" for i in range(skip, 28)]
    assert [r for c in chunks for r in c.rows.tolist()] == list(range(skip + 1, 29))
    assert [c.rows_done for c in chunks] == sorted({c.rows_done for c in chunks})
    assert all(0 <= c.share <= 1 for c in chunks)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.parquet", b"PAR1 no"),
        ("x.csv", b""),
        ("x.csv", b"PK\x03\x04zip"),
        ("x.csv.gz", b"a,b\n1,2\n"),
        ("x.csv.gz", gzip.compress(b"a,b\n" * 5000, mtime=0)[:20]),
        ("none.csv", None),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceUnreadable, match=name):
        open_source(path).names()


def test_a_torn_archive_says_where(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    whole = gzip.compress("".join(["a,b\n", *(f"{i},{i * 7919}\n" for i in range(20000))]).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceUnreadable, match="damaged after line"):
        read(path)


def test_a_file_of_another_kind_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"PK\x03\x04...")
    with pytest.raises(SourceUnreadable, match=r"ZIP archive .* unpack it"):
        open_source(path)


def test_a_name_that_appears_again_gets_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b,b,b,b.1\n0,1,2,3,4\n")
    assert open_source(path).names() == ["a", "b", "b.2", "b.3", "b.1"]
    twice = tmp_path / "x.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), twice)
    with pytest.raises(SourceUnreadable, match="column a appears twice"):
        open_source(twice).names()


def test_another_delimiter_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a;b\n1;2\n")
    with pytest.raises(SourceUnreadable, match="is ';' the delimiter"):
        open_source(path).names()
    assert open_source(path, CsvDialect(delimiter=";")).names() == ["a", "b"]
