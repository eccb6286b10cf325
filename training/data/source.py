"""Files of payments, read chunk by chunk: memory does not grow with the file."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fraud.errors import QuorumError

ROWS_PER_CHUNK = 50_000
_MAX_CSV_FIELD = 1 << 17
_MAX_LINE = 4 * _MAX_CSV_FIELD
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive or a workbook, not CSV: unpack it or save it as CSV",
    b"PAR1": "Parquet: name it .parquet",
    b"\xff\xfe": "UTF-16 text: convert it to UTF-8",
    b"\xfe\xff": "UTF-16 text: convert it to UTF-8",
    b"BZh": "packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zX": "packed with xz: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, or pack it with gzip",
}
"""First bytes of files that are not CSV -> what they are and what to do."""


class SourceUnreadable(QuorumError):
    """A file that is not what its name says. The message names the file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken, and why; never its value.

    Attributes:
        row: its place in the file, from 1, the header not counted.
        line: line of a CSV file on which it begins; the same as `row` for Parquet.
        field: canonical field at fault; "" if it is the row as a whole.
    """

    row: int
    line: int
    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """n readable rows and what was not readable between them.

    Attributes:
        rows: int64[n], place of each in the file, from 1, ascending.
        lines: int64[n], its line (CSV) or its place again (Parquet).
        columns: name -> Arrow array of n values.
        bad: rows that could not be split into columns.
        rows_done: rows of the file that are behind us after this chunk, good and bad.
        share: part of the file behind us, in [0, 1].
    """

    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    columns: Mapping[str, pa.Array]
    bad: list[BadRow] = field(default_factory=list)
    rows_done: int = 0
    share: float = 0.0


class Source(Protocol):
    """A file that gives chunks."""

    def names(self) -> list[str]:
        """Columns of the file."""

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        """Chunks with `columns` of the rows after the first `skip`, up to row `limit`.

        Raises:
            SourceUnreadable: the file is damaged.
        """


def open_source(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> Source:
    """The source for a file by its suffix: .parquet or .pq, else CSV (.gz is unpacked).

    Raises:
        SourceUnreadable: there is no such file, it is empty or not Parquet.
    """
    if not path.is_file():
        raise SourceUnreadable(f"{path}: no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetSource(path)
    _refuse_other_kinds(path)
    return CsvSource(path, delimiter, encoding)


def _refuse_other_kinds(path: Path) -> None:
    """Say what a file is that cannot be CSV, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise SourceUnreadable(f"{path}: is {kind}")
    if path.suffix.lower() == ".gz" and start and not start.startswith(b"\x1f\x8b"):
        raise SourceUnreadable(f"{path}: is not packed with gzip: name it without .gz")


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. About two seconds a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ParquetSource:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._open()

    def names(self) -> list[str]:
        names = list(self._file.schema_arrow.names)
        repeated = {n for n in names if names.count(n) > 1}
        if repeated:
            raise SourceUnreadable(
                f"{self._path}: column {min(repeated)} appears twice: rename one"
            )
        return names

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        total = self._file.metadata.num_rows
        end = total if limit is None else min(limit, total)
        groups, start = self._groups_after(skip)
        try:
            for batch in self._file.iter_batches(ROWS_PER_CHUNK, groups, sorted(columns)):
                lower, upper = max(skip, start), min(start + batch.num_rows, end)
                if lower < upper:
                    yield _numbered(batch.slice(lower - start, upper - lower), lower, total)
                start += batch.num_rows
                if start >= end:
                    return
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"{self._path}: damaged after row {start}: {error}") from None

    def _open(self) -> pq.ParquetFile:
        try:
            # Without memory_map a multi-gigabyte file is not counted as this process's memory.
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"{self._path}: not a Parquet file: {error}") from None

    def _groups_after(self, skip: int) -> tuple[list[int], int]:
        meta, start = self._file.metadata, 0
        for i in range(meta.num_row_groups):
            rows = meta.row_group(i).num_rows
            if start + rows > skip:
                return list(range(i, meta.num_row_groups)), start
            start += rows
        return [], start


def _numbered(batch: pa.RecordBatch, start: int, total: int) -> Chunk:
    done = start + batch.num_rows
    numbers = np.arange(start + 1, done + 1, dtype=np.int64)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    return Chunk(numbers, numbers, columns, [], done, done / total)


class CsvSource:
    """A CSV file with a header; RFC 4180 quoting, line breaks in quotes included.

    The standard library's reader, not Arrow's: it says on which line a row begins, and one broken
    row does not end the reading. It is several times faster than PostgreSQL takes the rows.
    """

    def __init__(self, path: Path, delimiter: str, encoding: str) -> None:
        self._path = path
        self._delimiter = delimiter
        self._encoding = encoding
        self._size = max(path.stat().st_size, 1)

    def names(self) -> list[str]:
        with self._path.open("rb") as raw:
            lines = _Lines(self._unpacked(raw), self._encoding)
            try:
                header = next(self._records(lines, None), None)
            except (OSError, EOFError, zlib.error) as error:
                raise SourceUnreadable(f"{self._path}: damaged in its header: {error}") from None
        if header is None or header[1] is None:
            raise SourceUnreadable(f"{self._path}: no header line")
        if len(header[1]) == 1:
            self._refuse_other_delimiter(header[1][0])
        return _distinct([name.strip() for name in header[1]])

    def _refuse_other_delimiter(self, header: str) -> None:
        for other in ",;\t|":
            if other in header:
                raise SourceUnreadable(
                    f"{self._path}: the header is one column: is {other!r} the delimiter? Say so"
                    " in the layout, [file] delimiter"
                )

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        names = self.names()
        places = {name: names.index(name) for name in sorted(columns)}
        with self._path.open("rb") as raw:
            lines = _Lines(self._unpacked(raw), self._encoding)
            next(self._records(lines, None))
            records = self._records(lines, len(names))
            part = _Part(places)
            try:
                for row, (line, values, problem) in enumerate(records, start=1):
                    if row <= skip:
                        continue
                    if limit is not None and row > limit:
                        break
                    part.add(row, line, values, problem)
                    if part.size == ROWS_PER_CHUNK:
                        yield part.chunk(raw.tell() / self._size)
                        part = _Part(places)
            except (OSError, EOFError, zlib.error) as error:
                where = f"{self._path}: damaged after line {lines.read}"
                raise SourceUnreadable(f"{where}: {error}") from None
            if part.size:
                yield part.chunk(raw.tell() / self._size)

    def _unpacked(self, raw: BinaryIO) -> BinaryIO:
        return gzip.open(raw) if self._path.suffix.lower() == ".gz" else raw  # type: ignore[return-value]

    def _records(
        self, lines: _Lines, width: int | None
    ) -> Iterator[tuple[int, list[str] | None, str]]:
        """(line it begins on, values or None, what is wrong) of each record but blank lines.

        A record that does not come out costs its first line only: a stray quote would otherwise
        swallow all rows up to the next one.
        """
        csv.field_size_limit(_MAX_CSV_FIELD)
        reader = self._reader(lines)
        while True:
            begin = lines.begin()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.give_back()
                # The reader's state after an error is undefined.
                reader = self._reader(lines)
                yield begin, None, f"not CSV: {error}"
                continue
            if not values:
                continue
            if width is not None and len(values) != width:
                lines.give_back()
                yield begin, None, f"has {len(values)} values, the header has {width}"
            elif lines.garbled:
                yield begin, None, f"not {self._encoding} text"
            else:
                yield begin, values, ""

    def _reader(self, lines: _Lines) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)


def _distinct(names: list[str]) -> list[str]:
    """Names of columns; one that came before gets a number, as pandas gives it: `x`, `x.1`."""
    found: list[str] = []
    for name in names:
        number, unused = 0, name
        while unused in found or (number and unused in names):
            number += 1
            unused = f"{name}.{number}"
        found.append(unused)
    return found


class _Lines:
    """Decoded lines of a file, those of the current record kept to be given back."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._taken: list[bytes] = []
        self._returned: deque[bytes] = deque()
        self.read = 0
        self.garbled = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        # A line without end must not fill the memory: it comes in pieces, too long for a field.
        line = self._returned.popleft() if self._returned else self._file.readline(_MAX_LINE)
        if not line:
            raise StopIteration
        if self.read == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        self.read += 1
        self._taken.append(line)
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.garbled = True
            return line.decode(self._encoding, errors="replace")

    def begin(self) -> int:
        """A record begins: forget the last one. Returns the number of its line, from 1."""
        self._taken.clear()
        self.garbled = False
        return self.read + 1

    def give_back(self) -> None:
        """All lines of the current record but its first are read again."""
        again = self._taken[1:]
        self._returned.extendleft(reversed(again))
        self.read -= len(again)


class _Part:
    """Rows of a CSV file on their way into a chunk."""

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
