"""Fast reading gives what exact reading gives, whatever the file."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulk.files import csv_text
from bulk.files.csv_text import CsvText
from bulk.files.refused import FileRefused
from data.files.chunk import Chunk
from data.files.csv_lines import MAX_FIELD, MAX_RECORD, Lines
from data.files.csv_source import CsvSource
from data.layout.fields import CsvDialect

GIB = 1 << 30
Rows = list[tuple[int, int, tuple[str, ...]]]


def read(chunks: Iterable[Chunk], names: list[str]) -> tuple[Rows, list[tuple[int, int]]]:
    """Rows with their numbers and lines, and (row, line) of the bad ones."""
    good: Rows = []
    bad: list[tuple[int, int]] = []
    for chunk in chunks:
        values = [chunk.columns[name].to_pylist() for name in names]
        cells = list(zip(*values, strict=True))
        good += list(zip(chunk.rows.tolist(), chunk.lines.tolist(), cells, strict=True))
        bad += [(b.row, b.line) for b in chunk.bad]
    return good, bad


def both(
    path: Path, content: bytes, dialect: CsvDialect
) -> tuple[tuple[Rows, list[tuple[int, int]]], tuple[Rows, list[tuple[int, int]]]]:
    """What the fast and the exact reader give."""
    path.write_bytes(content)
    text = CsvText(path, False, dialect, GIB)
    names = text.shape.names
    exact = CsvSource(path, dialect, 50_000)
    assert exact.names() == names
    return read(text.chunks(), names), read(exact.chunks(frozenset(names), 0, None), names)


PIECES = st.sampled_from(
    [
        *("1", "2.5", "x", "é", "", " ", '"', '""', ",", ";", "\n", "\r\n", "\r", "\\", "'"),
        *("\ufeff", "a b", '"q"', '"q,r"', '"q\nr"', '"q""r"', ' "q"', '"q" ', "=1", "\0", ",,"),
        *("\n\n", "\xa0"),
    ]
)
VALUES = ("1", "x y", '"q"', '"q,\nr"', '""', "", " 2", '"a""b"', "é", '" s"')
ROW = st.lists(st.sampled_from(VALUES), min_size=3, max_size=3)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A header and rows: mostly sound ones, with stray characters among them."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = ["a,b,c"]
    for row in draw(st.lists(st.one_of(ROW.map(",".join), st.lists(PIECES).map("".join)))):
        lines += [row] * draw(st.sampled_from([1, 1, 40]))
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 2]))
    body = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16"])))
    return body + draw(st.sampled_from([b"", b"", b"\n1,\xff,2\n"]))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files(), quote=st.sampled_from(['"', '"', None]), small=st.booleans())
def test_fast_and_exact_reading_agree(
    tmp_path: Path, content: bytes, quote: str | None, small: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(csv_text, "_MOST", 64)
            patch.setattr(csv_text, "_LEAST", 16)
        fast, exact = both(tmp_path / "x", content, CsvDialect(quote=quote))
    assert fast == exact


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), min_size=1))
def test_any_text_in_quotes_comes_back(tmp_path: Path, cells: list[list[str]]) -> None:
    body = "a,b\n" + "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in cells
    )
    content = body.encode("utf-8", "surrogatepass")
    fast, exact = both(tmp_path / "x", content, CsvDialect())
    assert fast == exact
    assert [list(row[2]) for row in fast[0]] == [
        row for row in cells if not any("\ud800" <= c <= "\udfff" for cell in row for c in cell)
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8", "gbk"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    letters = "中文" if encoding == "gbk" else "é€" if encoding == "cp1252" else "é"
    content = f"a,b\n1,{letters}\n2,x\n".encode(encoding)
    fast, exact = both(tmp_path / "x", content, CsvDialect(encoding=encoding))
    assert fast == exact
    assert fast[0][0] == (1, 2, ("1", letters))


def test_lines_are_counted_through_quotes_blank_and_broken_lines(tmp_path: Path) -> None:
    content = b'a,b\n1,"x\ny"\n\n2,z\n3\n"4,w\n5,v\n'
    fast, exact = both(tmp_path / "x", content, CsvDialect())
    assert fast == exact
    assert fast[0] == [(1, 2, ("1", "x\ny")), (2, 5, ("2", "z")), (5, 8, ("5", "v"))]
    assert fast[1] == [(3, 6), (4, 7)]


def test_a_broken_row_among_many_costs_itself_only(tmp_path: Path) -> None:
    rows = [b"%d,x%d\n" % (i, i) for i in range(200_000)]
    rows[100_000] = b'100000,"x\n'
    fast, _ = both(tmp_path / "x", b"a,b\n" + b"".join(rows), CsvDialect())
    assert len(fast[0]) == 199_999
    assert fast[1] == [(100_001, 100_002)]
    assert fast[0][-1] == (200_000, 200_001, ("199999", "x199999"))


def refusal(path: Path, content: bytes) -> FileRefused:
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        list(CsvText(path, content[:2] == b"\x1f\x8b", CsvDialect(), GIB).chunks())
    return caught.value


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_line_that_is_too_long_is_refused(tmp_path: Path, quote: bytes) -> None:
    sound = b"1,2\n" * 100
    found = refusal(tmp_path / "x", b"a,b\n" + sound + b"1," + quote + b"x" * (2 << 20) + quote)
    assert (found.code, found.line) == ("too-long", 102)


def test_a_long_value_costs_its_row(tmp_path: Path) -> None:
    content = b"a,b\n1," + b"x" * (MAX_FIELD + 1) + b"\n2,y\n"
    fast, exact = both(tmp_path / "x", content, CsvDialect())
    assert fast == exact == ([(2, 3, ("2", "y"))], [(1, 2)])


def test_quotes_that_never_end_cost_no_memory_and_no_square_of_time(tmp_path: Path) -> None:
    # Each line opens a quote that the next one closes: a record from any line reaches the end.
    found = refusal(tmp_path / "x", b"a,b\n" + b'"a","b\n' + b'a","b\n' * 300_000)
    assert found.code == "too-many-bad-rows"


def test_a_record_is_no_longer_than_allowed(tmp_path: Path) -> None:
    content = b"a,b\n" + b'1,"' + b"x\n" * (MAX_RECORD // 2) + b'"\n2,y\n'
    path = tmp_path / "x"
    path.write_bytes(content)
    [*_, last] = CsvSource(path, CsvDialect(), 1 << 30).chunks(frozenset("ab"), 0, None)
    assert last.columns["b"].to_pylist() == ["y"]


def test_most_rows_are_bad(tmp_path: Path) -> None:
    found = refusal(tmp_path / "x", b"a,b\n1,2\n" + b"1;2;3\n" * 30_000)
    assert found.code == "too-many-bad-rows"


@pytest.mark.parametrize("cut", [-1, -4, -100])
def test_a_damaged_gzip_file(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(10_000)))
    assert refusal(tmp_path / "x", packed[:cut]).code == "damaged"
    broken = packed[:cut] + bytes([packed[cut] ^ 255]) + packed[len(packed) + cut + 1 :]
    assert refusal(tmp_path / "x", broken).code == "damaged"


def test_rows_within_a_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n" + b"".join(b"%d,v%d\n" % (i, i) for i in range(1000)))
    text = CsvText(path, False, CsvDialect(), GIB)
    columns = [column.to_pylist() for column in text.rows_within(5000, 100)]
    assert len(columns[0]) > 5
    assert all(b == f"v{a}" for a, b in zip(*columns, strict=True))
    assert [len(c) for c in text.rows_within(5000, 3)] == [0, 0]


def test_rows_within_leave_out_broken_ones(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n" + b'1,"x\ny"\n2\n' * 100)
    columns = CsvText(path, False, CsvDialect(), GIB).rows_within(20, 200)
    assert set(columns[0].to_pylist()) == {"1"}
    assert columns[0].type == pa.string()


def test_rows_within_read_quotes_that_never_end_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every line ends within quotes, as it began or not: each could be read a thousand times.
    count = 0
    decode = Lines.__next__

    def counted(lines: Lines) -> str:
        nonlocal count
        count += 1
        return decode(lines)

    path = tmp_path / "x"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 2_000 + b'b",c,"\n' * 20_000)
    text = CsvText(path, False, CsvDialect(), GIB)
    assert text.shape.names == ["a", "b"]
    monkeypatch.setattr(Lines, "__next__", counted)
    columns = text.rows_within(4_000, 100_000)
    assert columns[0].to_pylist() == ["1"] * 1_000
    assert count < 100_000
