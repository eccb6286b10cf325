"""CSV files, record by record. A broken row costs that row only."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from data.files.chunk import BadRow, Chunk, SourceUnreadable
from data.files.csv_lines import MAX_FIELD, Lines, as_utf8, decoding_hint
from data.layout.fields import CsvDialect

_SAMPLED_ROWS = 1000

Record = tuple[int, list[str] | None, str]
"""(first line, values or None, what is wrong)"""


class CsvSource:
    """A CSV file with RFC 4180 quoting, line breaks in quotes included.

    It uses the reader of the standard library, which unlike Arrow's gives the line of each row and
    does not stop at a broken one. It reads several times faster than PostgreSQL inserts.
    """

    def __init__(self, path: Path, dialect: CsvDialect, rows_per_chunk: int) -> None:
        self._path = path
        self._dialect = dialect
        self._rows_per_chunk = rows_per_chunk
        self._size = max(path.stat().st_size, 1)

    def names(self) -> list[str]:
        return list(self._shape.names)

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        shape = self._shape
        places = {name: shape.names.index(name) for name in sorted(columns)}
        with self._path.open("rb") as raw:
            lines = self._lines(raw)
            if self._dialect.header:
                self._names(lines)
            part = _Part(places)
            try:
                for row, found in enumerate(self._records(lines), start=1):
                    # Needed for skipped rows too: it sets the line of the next one.
                    record = shape.fitted(found, lines)
                    if row <= skip:
                        continue
                    if limit is not None and row > limit:
                        break
                    part.add(row, *record)
                    if part.size == self._rows_per_chunk:
                        yield part.chunk(raw.tell() / self._size)
                        part = _Part(places)
            except (OSError, EOFError, zlib.error) as error:
                where = f"{self._path}: damaged after line {lines.read}"
                raise SourceUnreadable(f"{where}: {error}") from None
            if part.size:
                yield part.chunk(raw.tell() / self._size)

    def _lines(self, raw: BinaryIO) -> Lines:
        packed = self._path.suffix.lower() == ".gz"
        try:
            unpacked: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            lines = Lines(as_utf8(unpacked), self._dialect)
            lines.skip(self._dialect.skip_lines)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceUnreadable(f"{self._path}: damaged in its header: {error}") from None
        return lines

    def _names(self, lines: Lines) -> list[str]:
        """Read the header, if there is one, and return the names of the columns."""
        try:
            first = next(self._records(lines), None)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceUnreadable(f"{self._path}: damaged in its header: {error}") from None
        if not self._dialect.header:
            return self._given_names(first)
        if first is None:
            raise SourceUnreadable(f"{self._path}: is empty: expected a header line")
        line, values, problem = first
        if values is None:
            raise SourceUnreadable(f"{self._path}: line {line}, the header, is {problem}")
        if len(values) == 1:
            self._refuse_other_delimiter(values[0])
        return _distinct([name.strip() for name in values])

    def _given_names(self, first: Record | None) -> list[str]:
        width = len(first[1]) if first is not None and first[1] is not None else 0
        names = list(self._dialect.names) or [str(i + 1) for i in range(width)]
        surplus = [] if first is None or first[1] is None else first[1][len(names) :]
        if first is not None and first[1] is not None and (width < len(names) or any(surplus)):
            raise SourceUnreadable(
                f"{self._path}: line {first[0]} has {width} values, [file] names of the layout"
                f" lists {len(names)}"
            )
        return names

    def _refuse_other_delimiter(self, header: str) -> None:
        for other in ",;\t|^~\x01":
            if other in header:
                raise SourceUnreadable(
                    f"{self._path}: the header is one column: is {other!r} the delimiter? Set it"
                    " in the layout: [file] delimiter"
                )

    @cached_property
    def _shape(self) -> _Shape:
        """The names of the header, and how many values most of the first rows have."""
        with self._path.open("rb") as raw:
            lines = self._lines(raw)
            names = self._names(lines)
        with self._path.open("rb") as raw:
            lines = self._lines(raw)
            if self._dialect.header:
                self._names(lines)
            try:
                records = list(islice(self._records(lines), _SAMPLED_ROWS))
            except (OSError, EOFError, zlib.error):
                records = []  # reported when the rows are read
        return _Shape(names, [values for _, values, _ in records if values is not None])

    def _records(self, lines: Lines) -> Iterator[Record]:
        """Yield each record, without blank lines.

        A broken record costs its first line only. A stray quote would otherwise take all rows up
        to the next quote.
        """
        csv.field_size_limit(MAX_FIELD)
        reader = self._reader(lines)
        while True:
            begin = lines.begin()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.rewind()
                # The reader's state after an error is undefined.
                reader = self._reader(lines)
                yield begin, None, f"not CSV: {error}"
                continue
            if lines.undecodable is not None:
                yield begin, None, decoding_hint(lines.undecodable, lines.encoding)
            elif values:
                yield begin, values, ""

    def _reader(self, lines: Lines) -> Iterator[list[str]]:
        dialect = self._dialect
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


class _Shape:
    """The names of the columns, and how many values a row may have.

    A delimiter at the end of each row, or of the header, is not a column. If only some rows have
    one, they are rejected: their values may have shifted.
    """

    def __init__(self, names: list[str], sample: list[list[str]]) -> None:
        kept = len(names)
        while (
            kept > 1
            and not names[kept - 1].split(".")[0]
            and not any(any(row[kept - 1 :]) for row in sample)
        ):
            kept -= 1
        self.names = names[:kept]
        self._full = len(names)
        surplus = Counter(
            len(row) - kept for row in sample if len(row) > kept and not any(row[kept:])
        )
        often = surplus.most_common(1)
        usual = bool(often) and 2 * surplus.total() >= len(sample)
        self._trailing = often[0][0] if usual else 0

    def fitted(self, record: Record, lines: Lines) -> tuple[int, list[str] | None, str]:
        """Return the record with one value for each name, or with what is wrong."""
        line, values, problem = record
        if values is None:
            return line, None, problem
        n, width = len(values), len(self.names)
        if n == width and (not self._trailing or values[-1]):
            return record
        if width < n <= max(self._full, width + self._trailing) and not any(values[width:]):
            return line, values[:width], ""
        lines.rewind()
        if n == width:
            return line, None, "lacks the final delimiter that the other rows have"
        return line, None, f"has {n} values, the header has {width}"


def _distinct(names: list[str]) -> list[str]:
    """Make names distinct: a repeated one gets a number, as in pandas (`x`, `x.1`)."""
    found: list[str] = []
    for name in names:
        number, unused = 0, name
        while unused in found or (number and unused in names):
            number += 1
            unused = f"{name}.{number}"
        found.append(unused)
    return found


class _Part:
    """Rows of a CSV file that become a chunk."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self._rows: list[int] = []
        self._lines: list[int] = []
        self._records: list[list[str]] = []
        self._bad: list[BadRow] = []
        self._last = 0
        self.size = 0

    def add(self, row: int, line: int, values: list[str] | None, problem: str) -> None:
        self.size += 1
        self._last = row
        if values is None:
            self._bad.append(BadRow(row, line, "", "malformed", problem))
            return
        self._rows.append(row)
        self._lines.append(line)
        self._records.append(values)

    def chunk(self, share: float) -> Chunk:
        return Chunk(
            np.array(self._rows, dtype=np.int64),
            np.array(self._lines, dtype=np.int64),
            {name: self._column(i) for name, i in self._places.items()},
            self._bad,
            self._last,
            min(share, 1.0),
        )

    def _column(self, place: int) -> Any:
        return pa.array([record[place] for record in self._records], pa.string())
