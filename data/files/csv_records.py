"""Records of a CSV file. A broken one costs its first line only."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from data.files.csv_lines import MAX_FIELD, Lines, decoding_hint
from data.layout.fields import CsvDialect

NOT_CSV: Final = "not-csv"
UNDECODABLE: Final = "undecodable"
WRONG_WIDTH: Final = "wrong-number-of-values"


class Record(NamedTuple):
    """A record, or what is wrong with it.

    Attributes:
        line: its first line in the file, from 1.
        values: None if it is broken.
        problem: one sentence without a value of the file; "" if nothing is wrong.
        code: `NOT_CSV`, `UNDECODABLE` or `WRONG_WIDTH`; "" if nothing is wrong.
    """

    line: int
    values: list[str] | None
    problem: str = ""
    code: str = ""


def records(lines: Lines, dialect: CsvDialect) -> Iterator[Record]:
    """Yield each record, without blank lines.

    A broken record costs its first line only. A stray quote would otherwise take all rows up
    to the next quote. Between two records nothing is read ahead of `lines`.
    """
    csv.field_size_limit(MAX_FIELD)
    reader = _reader(lines, dialect)
    while True:
        begin = lines.begin()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.rewind()
            # The reader's state after an error is undefined.
            reader = _reader(lines, dialect)
            yield Record(begin, None, f"not CSV: {error}", NOT_CSV)
            continue
        if lines.undecodable is not None:
            hint = decoding_hint(lines.undecodable, lines.encoding)
            yield Record(begin, None, hint, UNDECODABLE)
        elif values:
            yield Record(begin, values)


def _reader(lines: Lines, dialect: CsvDialect) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None or dialect.escape == dialect.quote,
        # Spaces before a value or its quotes are not part of it.
        skipinitialspace=dialect.delimiter != " ",
        strict=True,
    )


def _filled_values(row: list[str]) -> int:
    """The values of a row without the empty ones at its end."""
    return next((n for n in range(len(row), 0, -1) if row[n - 1]), 0)


class Shape:
    """The names of the columns, and how many values a row may have.

    A delimiter at the end of each row, or of the header, is not a column. If only some rows have
    one, they are rejected: their values may have shifted.

    Args:
        names: of the header, as it is written.
        sample: the first records that could be read.

    Attributes:
        names: of the columns that are kept.
        trailing: empty values that most rows have after those.
    """

    def __init__(self, names: list[str], sample: list[list[str]]) -> None:
        kept = len(names)
        filled = max([1, *map(_filled_values, sample)])
        while kept > filled and not names[kept - 1].split(".")[0]:
            kept -= 1
        self.names = names[:kept]
        self._full = len(names)
        surplus = Counter(
            len(row) - kept for row in sample if len(row) > kept and not any(row[kept:])
        )
        often = surplus.most_common(1)
        usual = bool(often) and 2 * surplus.total() >= len(sample)
        self.trailing = often[0][0] if usual else 0

    def fitted(self, record: Record, lines: Lines) -> Record:
        """Return the record with one value for each name, or with what is wrong."""
        values = record.values
        if values is None:
            return record
        n, width = len(values), len(self.names)
        if n == width and (not self.trailing or values[-1]):
            return record
        if width < n <= max(self._full, width + self.trailing) and not any(values[width:]):
            return record._replace(values=values[:width])
        lines.rewind()
        problem = (
            "lacks the final delimiter that the other rows have"
            if n == width
            else f"has {n} values, the header has {width}"
        )
        return Record(record.line, None, problem, WRONG_WIDTH)
