"""CSV files, record by record. A broken row costs that row only."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from data.files.chunk import BadRow, Chunk, SourceUnreadable
from data.files.csv_lines import Lines, as_utf8
from data.files.csv_records import Record, Shape, records
from data.layout.fields import CsvDialect

_SAMPLED_ROWS = 1000


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
                for row, found in enumerate(records(lines, self._dialect), start=1):
                    # Needed for skipped rows too: it sets the line of the next one.
                    record = shape.fitted(found, lines)
                    if row <= skip:
                        continue
                    if limit is not None and row > limit:
                        break
                    part.add(row, record)
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
            first = next(records(lines, self._dialect), None)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceUnreadable(f"{self._path}: damaged in its header: {error}") from None
        if not self._dialect.header:
            return self._given_names(first)
        if first is None:
            raise SourceUnreadable(f"{self._path}: is empty: expected a header line")
        if first.values is None:
            where = f"{self._path}: line {first.line}, the header"
            raise SourceUnreadable(f"{where}, is {first.problem}")
        if len(first.values) == 1:
            self._refuse_other_delimiter(first.values[0])
        return _distinct([name.strip() for name in first.values])

    def _given_names(self, first: Record | None) -> list[str]:
        values = (first.values if first is not None else None) or []
        width = len(values)
        names = list(self._dialect.names) or [str(i + 1) for i in range(width)]
        if first is not None and values and (width < len(names) or any(values[len(names) :])):
            raise SourceUnreadable(
                f"{self._path}: line {first.line} has {width} values, [file] names of the layout"
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
    def _shape(self) -> Shape:
        """The names of the header, and how many values most of the first rows have."""
        with self._path.open("rb") as raw:
            lines = self._lines(raw)
            names = self._names(lines)
        with self._path.open("rb") as raw:
            lines = self._lines(raw)
            if self._dialect.header:
                self._names(lines)
            try:
                sample = list(islice(records(lines, self._dialect), _SAMPLED_ROWS))
            except (OSError, EOFError, zlib.error):
                sample = []  # reported when the rows are read
        return Shape(names, [r.values for r in sample if r.values is not None])


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

    def add(self, row: int, record: Record) -> None:
        self.size += 1
        self._last = row
        if record.values is None:
            self._bad.append(BadRow(row, record.line, "", "malformed", record.problem))
            return
        self._rows.append(row)
        self._lines.append(record.line)
        self._records.append(record.values)

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
