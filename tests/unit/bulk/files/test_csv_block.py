"""Blocks that Arrow may read, and those that it must not."""

from __future__ import annotations

import pytest

from bulk.files.csv_block import BlockReader
from data.files.csv_lines import MAX_FIELD, MAX_RECORD_LINES
from data.layout.fields import CsvDialect

READER = BlockReader(CsvDialect(), 2, 0)


def cells(window: bytes, last: bool = True, reader: BlockReader = READER) -> list[list[str]] | None:
    block = reader.read(window, last)
    return None if block is None else [column.to_pylist() for column in block.columns]


@pytest.mark.parametrize(
    ("window", "found"),
    [
        (b"1,2\n3,4\n", [["1", "3"], ["2", "4"]]),
        (b"1,2\r\n\r\n3,4", [["1", "3"], ["2", "4"]]),
        (b'"a,b","c\nd"\n"e""f",""\n', [["a,b", 'e"f'], ["c\nd", ""]]),
        (b"1,  2\n3,   \n", [["1", "3"], ["2", ""]]),
        (b'"x, y",1\n', [["x, y"], ["1"]]),
        ("é,€\n".encode(), [["é"], ["€"]]),
    ],
)
def test_plain_blocks(window: bytes, found: list[list[str]]) -> None:
    assert cells(window) == found


@pytest.mark.parametrize(
    "window",
    [
        *(b"1,2\n3\n", b"1,2,3\n", b"1\r2,3\n", b"1,\xff\n", b' "a",1\n', b"1,2\n 3,4\n"),
        *(b'"a"b,1\n', b'a"b,1\n', b'"a" ,1\n', b'"a,1\n', b'"a", 1\n', b"\xef\xbb\xbf1,2\n"),
        *(b"1," + b"x" * (MAX_FIELD + 1), b'1,"' + b"\n" * MAX_RECORD_LINES + b'"\n', b""),
    ],
)
def test_blocks_on_which_readers_differ(window: bytes) -> None:
    assert cells(window) is None


def test_only_whole_records_are_read() -> None:
    block = READER.read(b'1,2\n\n3,"4\n5"\n6,"7\n8', False)
    assert block is not None
    assert block.columns[1].to_pylist() == ["2", "4\n5"]
    assert (block.lines.tolist(), block.bytes, block.line_count) == ([0, 2], 13, 4)
    assert READER.read(b'1,"2\n3', False) is None


def test_a_delimiter_at_the_end_of_each_row() -> None:
    reader = BlockReader(CsvDialect(), 2, 1)
    assert cells(b"1,2,\n3,4,\n", True, reader) == [["1", "3"], ["2", "4"]]
    assert cells(b"1,2,\n3,4,5\n", True, reader) is None


@pytest.mark.parametrize(
    ("form", "usable"),
    [
        ({}, True),
        ({"delimiter": "\t", "quote": None}, True),
        ({"encoding": "cp1252"}, True),
        ({"encoding": "latin-1"}, True),
        ({"escape": "\\"}, False),
        ({"delimiter": "¦"}, False),
        ({"encoding": "gbk"}, False),
        ({"encoding": "utf-7"}, False),
    ],
)
def test_dialects_that_arrow_can_read(form: dict[str, str], usable: bool) -> None:
    assert BlockReader(CsvDialect(**form), 2, 0).usable is usable
