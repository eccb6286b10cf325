"""Records of a CSV file, broken ones among them."""

from __future__ import annotations

import io
from typing import Any

from data.files.csv_lines import MAX_RECORD_LINES, Lines
from data.files.csv_records import NOT_CSV, UNDECODABLE, WRONG_WIDTH, Record, Shape, records
from data.layout.fields import CsvDialect


def lines_of(content: bytes) -> Lines:
    return Lines(io.BytesIO(content), CsvDialect())


def test_what_is_wrong_has_a_code() -> None:
    lines = lines_of(b'1,2\n"x"y,2\n\xff,3\n1,2,3\n')
    shape = Shape(["a", "b"], [["1", "2"]])
    found = [shape.fitted(record, lines) for record in records(lines, CsvDialect())]
    assert [(r.line, r.code) for r in found] == [
        (1, ""), (2, NOT_CSV), (3, UNDECODABLE), (4, WRONG_WIDTH),
    ]  # fmt: skip
    assert [r.values for r in found] == [["1", "2"], None, None, None]


def test_a_quote_that_does_not_end_costs_one_line_and_little_memory() -> None:
    lines = lines_of(b'1,"2\n' + b"3,4\n" * (3 * MAX_RECORD_LINES))
    found = list(records(lines, CsvDialect()))
    assert found[0].code == NOT_CSV
    assert found[1:] == [Record(n, ["3", "4"]) for n in range(2, 3 * MAX_RECORD_LINES + 2)]
    assert lines.reread < 5 * MAX_RECORD_LINES


def test_the_longest_record() -> None:
    value = "\n" * (MAX_RECORD_LINES - 1)
    content = f'1,"{value}"\n2,3\n'.encode()
    assert [r.values for r in records(lines_of(content), CsvDialect())] == [
        ["1", value],
        ["2", "3"],
    ]


def test_between_records_nothing_is_read_ahead() -> None:
    file = io.BytesIO(b'1,"2\n2"\n3,4\n5,6\n')
    lines = Lines(file, CsvDialect())
    found = records(lines, CsvDialect())
    assert next(found).values == ["1", "2\n2"]
    assert file.tell() == lines.passed == 8
    assert lines.give_back() == b""
    file.seek(12)
    assert next(found).values == ["5", "6"]


def test_what_was_read_ahead_can_be_given_back() -> None:
    file = io.BytesIO(b'1,"2\n3,4\n"5",6"\n')
    lines = Lines(file, CsvDialect())
    assert next(records(lines, CsvDialect())).code == NOT_CSV
    assert lines.passed == 5
    assert lines.give_back() == file.getvalue()[5 : file.tell()]


def test_a_header_of_many_empty_names_is_looked_at_once_a_row() -> None:
    class Row(list[str]):
        looked_at = 0

        def __getitem__(self, at: Any) -> Any:
            found = super().__getitem__(at)
            Row.looked_at += len(found) if isinstance(at, slice) else 1
            return found

    rows: list[list[str]] = [Row(["1", "2", *[""] * 5_000]) for _ in range(20)]
    shape = Shape(["a", "b", *[""] * 5_000], rows)
    assert (shape.names, shape.trailing) == (["a", "b"], 5_000)
    assert Row.looked_at < 3 * 20 * 5_000
    filled = [*rows[:19], ["1", "2", "", "3"]]
    assert Shape(["a", "b", "", "", ""], filled).names == ["a", "b", "", ""]
