"""CSV as programs export it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from data.files import csv_lines
from data.files.source import Chunk, SourceUnreadable, open_source
from data.layout.fields import CsvDialect


def whole(path: Path, content: bytes, **form: Any) -> tuple[list[str], Chunk]:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    source = open_source(path, CsvDialect(**form))
    names = source.names()
    [chunk] = source.chunks(frozenset(names), 0, None)
    return names, chunk


def rows(chunk: Chunk) -> list[tuple[str, ...]]:
    columns = [chunk.columns[name].to_pylist() for name in sorted(chunk.columns)]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("content", "sound", "bad"),
    [
        (b"a,b\n1,x,\n2,y,\n", [("1", "x"), ("2", "y")], []),
        (b"a,b\n1,x,,,\n2,y,,,\n", [("1", "x"), ("2", "y")], []),
        (b"a,b,\n1,x\n2,y,\n", [("1", "x"), ("2", "y")], []),
        # Elsewhere one value too many may mean that values moved.
        (b"a,b\n1,x\n2,y\n3,z\n4,w,\n", [("1", "x"), ("2", "y"), ("3", "z")], [5]),
        (b"a,b\n1,x,\n2,\n3,y,z\n4,w,\n", [("1", "x"), ("4", "w")], [3, 4]),
    ],
)
def test_a_delimiter_at_the_end(
    tmp_path: Path, content: bytes, sound: list[tuple[str, ...]], bad: list[int]
) -> None:
    names, chunk = whole(tmp_path / "x.csv", content)
    assert names[:2] == ["a", "b"]
    assert [row[-2:] for row in rows(chunk)] == sound
    assert [b.line for b in chunk.bad] == bad


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_carriage_returns_alone(tmp_path: Path, suffix: str) -> None:
    content = b'a,b\r1,x\r2,"y\nz\rw"\r\r3,\r4,last'
    _, chunk = whole(tmp_path / f"x{suffix}", content)
    assert rows(chunk) == [("1", "x"), ("2", "y\nz\rw"), ("3", ""), ("4", "last")]


def test_a_carriage_return_before_the_last_character(tmp_path: Path) -> None:
    _, chunk = whole(tmp_path / "x.csv", b"a,b\r1,\r2,x\r3,y")
    assert rows(chunk) == [("1", ""), ("2", "x"), ("3", "y")]
    names, chunk = whole(tmp_path / "y.csv", b"a\r1")
    assert (names, chunk.columns["a"].to_pylist()) == (["a"], ["1"])


def test_carriage_returns_where_pieces_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "_MAX_LINE", 7)
    content = b"a,b\r" + b"".join(b"%d,v%d\r" % (i, i) for i in range(50))
    _, chunk = whole(tmp_path / "x.csv", content)
    assert rows(chunk) == [(str(i), f"v{i}") for i in range(50)]


def test_other_quotes_and_none(tmp_path: Path) -> None:
    _, chunk = whole(tmp_path / "x.csv", b"a,b\n1,'x,y'\n2,it''s\n", quote="'")
    assert rows(chunk) == [("1", "x,y"), ("2", "it''s")]
    _, chunk = whole(tmp_path / "x.csv", b'a|b\n1|6" pipe\n2|"y\n', delimiter="|", quote=None)
    assert rows(chunk) == [("1", '6" pipe'), ("2", '"y')]
    content = b'a,b\n1,"x \\"y\\""\n2,\\N\n'
    _, chunk = whole(tmp_path / "x.csv", content, escape="\\")
    assert rows(chunk) == [("1", 'x "y"'), ("2", "\\N")]


def test_files_without_header(tmp_path: Path) -> None:
    names, chunk = whole(tmp_path / "x.csv", b"1,x\n2,y\n", header=False)
    assert names == ["1", "2"]
    assert rows(chunk) == [("1", "x"), ("2", "y")]
    names, chunk = whole(tmp_path / "x.csv", b"1,x,\n", header=False, names=("id", "card"))
    assert (names, chunk.lines.tolist()) == (["id", "card"], [1])
    with pytest.raises(SourceUnreadable, match=r"line 1 has 2 values, .* lists 3"):
        whole(tmp_path / "x.csv", b"1,x\n", header=False, names=("a", "b", "c"))


def test_lines_before_the_header(tmp_path: Path) -> None:
    _, chunk = whole(tmp_path / "x.csv", b"Export, 2024\n\na,b\n1,x\n", skip_lines=2)
    assert (rows(chunk), chunk.lines.tolist()) == ([("1", "x")], [4])
    _, chunk = whole(tmp_path / "x.csv", b"sep=;\r\na;b\r\n1;x\r\n", delimiter=";")
    assert (rows(chunk), chunk.lines.tolist()) == ([("1", "x")], [3])


def test_another_encoding_names_the_byte_and_what_to_set(tmp_path: Path) -> None:
    content = "a,händler\n1,Bäcker\n".encode("cp1252")
    with pytest.raises(
        SourceUnreadable, match=r"line 1.*0xe4 at position 4.*encoding = \"cp1252\""
    ):
        whole(tmp_path / "x.csv", content)
    names, chunk = whole(tmp_path / "x.csv", content, encoding="cp1252")
    assert (names, rows(chunk)) == (["a", "händler"], [("1", "Bäcker")])
    _, chunk = whole(tmp_path / "x.csv", b"a,b\n1,x\n2,B\xe4cker\n")
    assert "0xe4 at position 4 of line 3" in chunk.bad[0].detail
    assert "cp1252" in chunk.bad[0].detail


def test_utf16_with_a_mark_is_recognised(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-be"):
        content = "\ufeff" * (encoding != "utf-16") + 'a\tb\r\n1\t"ä\r\n€"\r\n'
        _, chunk = whole(tmp_path / "x.txt", content.encode(encoding), delimiter="\t")
        assert rows(chunk) == [("1", "ä\r\n€")]


def test_ends_of_lines_may_be_mixed(tmp_path: Path) -> None:
    content = b'a,b\r\n1,x\n2,y\r3,"z\rw"\r\n4,v\r\n'
    _, chunk = whole(tmp_path / "x.csv", content)
    assert rows(chunk) == [("1", "x"), ("2", "y"), ("3", "z\rw"), ("4", "v")]
    assert not chunk.bad


def test_spaces_before_quotes(tmp_path: Path) -> None:
    names, chunk = whole(tmp_path / "x.csv", b'a, "b", c\n1, "x,y", "z"\n2,  u,v\n')
    assert names == ["a", "b", "c"]
    assert rows(chunk) == [("1", "x,y", "z"), ("2", "u", "v")]


@pytest.mark.parametrize(
    ("cell", "text"),
    [(r"a\tb", r"a\tb"), (r"C:\new", r"C:\new"), (r"C:\\new", r"C:\new"), (r"x\,y", "x,y")],
)
def test_an_escaped_letter_keeps_its_sign(tmp_path: Path, cell: str, text: str) -> None:
    """PostgreSQL writes a tab as \\t: without its backslash it would be another text."""
    _, chunk = whole(tmp_path / "x.csv", f"a,b\n1,{cell}\n2,\\N\n".encode(), escape="\\")
    assert rows(chunk) == [("1", text), ("2", "\\N")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark(tmp_path: Path, encoding: str) -> None:
    names, chunk = whole(tmp_path / "x.csv", "a,b\r\n1,ü\r\n".encode(encoding))
    assert (names, rows(chunk)) == (["a", "b"], [("1", "ü")])


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [
        ("x.csv", b"ORC\x00", "ORC"),
        ("x.csv", b"Obj\x01", "Avro"),
        ("x.csv", b"ARROW1\x00\x00", "Feather"),
        ("x.csv", b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path: Path, name: str, start: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(SourceUnreadable, match=kind):
        open_source(tmp_path / name)


def test_a_folder_of_parts_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    with pytest.raises(SourceUnreadable, match="a folder: give the files in it"):
        open_source(tmp_path / "x.parquet")
