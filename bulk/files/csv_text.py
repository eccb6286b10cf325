"""A CSV file of a job: its header, and its rows as fast as they can be read exactly."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from bulk.files.csv_block import Block, BlockReader
from bulk.files.refused import FileRefused
from bulk.files.unpacked import Feed, LineTooLong, Unpacked, feed_of, unpacked
from data.files.chunk import BadRow, Chunk
from data.files.csv_lines import MAX_FIELD, MAX_RECORD, Lines, ReadsBytes, utf16_of
from data.files.csv_records import NOT_CSV, UNDECODABLE, Record, Shape, records
from data.layout.fields import CsvDialect

SHAPED_ROWS: Final = 1000
"""Rows from which the number of values in a row is learnt."""

_SHAPED_BYTES: Final = 1 << 21
"""Bytes in which they must lie."""

_MOST, _LEAST = 1 << 20, 1 << 16
"""Bytes of a block: after blocks that could be read, and after one that could not."""

_FREE_REREAD: Final = 1 << 24
_MAX_REREAD: Final = 4
"""Bytes that may be read again after broken records, times those of the file. Beyond, the time
would grow with the square of the file."""

_MANY_BAD: Final = 10_000


@dataclass(frozen=True)
class CsvText:
    """A CSV file.

    Args:
        path: of the file.
        packed: it is a gzip file.
        dialect: how it is written.
        max_bytes: most bytes that it may unpack to.
    """

    path: Path
    packed: bool
    dialect: CsvDialect
    max_bytes: int

    @cached_property
    def head(self) -> tuple[list[str], list[list[str]]]:
        """The names of the header as they are written, and the first rows that can be read."""
        with unpacked(self.path, self.packed, self.max_bytes) as source:
            begin = _Beginning(source)
            lines = self._lines(feed_of(begin))
            found = records(lines, self.dialect)
            try:
                names = self._header(found)
                some = list(islice(found, SHAPED_ROWS))
            except LineTooLong:
                raise _too_long(lines) from None
        if begin.cut and len(some) < SHAPED_ROWS:
            some = some[:-1]  # it may continue
        return names, [record.values for record in some if record.values is not None]

    @cached_property
    def shape(self) -> Shape:
        """The columns, and how many values a row may have."""
        names, rows = self.head
        return Shape(names, rows)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows in the order of the file, in chunks of about a megabyte.

        Equal to what `data.files.csv_source` reads.

        Raises:
            FileRefused: the file is damaged, has a line that is too long, or most of it cannot be
                read.
        """
        shape = self.shape
        with unpacked(self.path, self.packed, self.max_bytes) as source:
            feed = feed_of(source)
            lines = self._lines(feed)
            reading = _Reading(self, shape, feed, lines)
            try:
                yield from reading.chunks(source, max(self.path.stat().st_size, 1))
            except LineTooLong:
                raise _too_long(lines) from None

    def rows_within(self, start: int, size: int) -> list[pa.Array]:
        """Return the columns of whole rows that lie in a part of the file, fewer if there is no
        line end. Rows that cannot be read are left out, and all that follow many such ones. Only
        for files that are not packed."""
        with self.path.open("rb") as raw:
            raw.seek(start)
            part = raw.read(size)
        begin = part.find(b"\n") + 1
        part = part[begin : part.rfind(b"\n") + 1]
        shape = self.shape
        block = BlockReader(self.dialect, len(shape.names), shape.trailing).read(part, True)
        if block is not None:
            return block.columns
        lines = Lines(io.BytesIO(part), self.dialect)
        rows: list[list[str]] = []
        for found in records(lines, self.dialect):
            record = shape.fitted(found, lines)
            if record.values is not None:
                rows.append(record.values)
            if lines.reread > _MAX_REREAD * len(part):
                break
        return _columns(rows, len(shape.names))

    @property
    def seekable(self) -> bool:
        """Whether rows can be found from any place in the file."""
        with self.path.open("rb") as raw:
            return not self.packed and utf16_of(raw.read(2)) is None

    def _lines(self, feed: Feed) -> Lines:
        try:
            lines = Lines(feed, self.dialect)
            lines.skip(self.dialect.skip_lines)
        except LineTooLong:
            raise FileRefused("too-long", _TOO_LONG.format(line=1), line=1) from None
        return lines

    def _header(self, found: Iterator[Record]) -> list[str]:
        if not self.dialect.header:
            return list(self.dialect.names)
        first = next(found, None)
        if first is None:
            raise FileRefused("empty-file", "the file is empty")
        if first.values is None:
            raise FileRefused(
                "wrong-dialect",
                f"line {first.line}, the header, cannot be read: {reason_of(first)}",
                line=first.line,
            )
        return [name.strip() for name in first.values]

    def skip_header(self, found: Iterator[Record]) -> None:
        """Read the header, if there is one."""
        if self.dialect.header:
            next(found, None)


class _Beginning:
    """The first bytes of a text: its first rows may come after any number of blank lines.

    Attributes:
        cut: the text may continue.
    """

    def __init__(self, source: ReadsBytes) -> None:
        self._source = source
        self._left = _SHAPED_BYTES
        self.cut = False

    def read(self, size: int) -> bytes:
        """See `Unpacked`."""
        block = self._source.read(min(size, self._left))
        self._left -= len(block)
        self.cut = not self._left
        return block


class _Reading:
    """One pass over a file."""

    def __init__(self, text: CsvText, shape: Shape, feed: Feed, lines: Lines) -> None:
        self._text = text
        self._shape = shape
        self._feed = feed
        self._lines = lines
        self._records = records(lines, text.dialect)
        self._row = 0
        self._bad = 0
        self._ended = False

    def chunks(self, source: Unpacked, size: int) -> Iterator[Chunk]:
        self._text.skip_header(self._records)
        reader = BlockReader(self._text.dialect, len(self._shape.names), self._shape.trailing)
        wanted = _MOST if reader.usable else _LEAST
        while not self._ended:
            block = None
            if not self._lines.within_piece:
                self._feed.put_back(self._lines.give_back())
                window, last = self._feed.window(wanted)
                if not window:
                    return
                block = reader.read(window, last)
            share = min(source.place / size, 1.0)
            yield self._exact(share) if block is None else self._fast(block, share)
            wanted = _LEAST if block is None else min(2 * wanted, _MOST)

    def _fast(self, block: Block, share: float) -> Chunk:
        first, n = self._row + 1, len(block.lines)
        line = self._lines.read + 1
        self._feed.advance(block.bytes)
        self._lines.read += block.line_count
        self._lines.passed += block.bytes
        self._row += n
        columns = dict(zip(self._shape.names, block.columns, strict=True))
        rows = np.arange(first, first + n, dtype=np.int64)
        return Chunk(rows, block.lines + line, columns, [], self._row, share)

    def _exact(self, share: float) -> Chunk:
        """Read records one by one, to about the end of a small block."""
        until = self._lines.passed + _LEAST
        rows: list[int] = []
        good: list[tuple[int, list[str]]] = []
        bad: list[BadRow] = []
        for found in self._records:
            record = self._shape.fitted(found, self._lines)
            self._row += 1
            if record.values is None:
                bad.append(BadRow(self._row, record.line, "", record.code, reason_of(record)))
                self._bad += 1
                self._check()
            else:
                rows.append(self._row)
                good.append((record.line, record.values))
            if self._lines.passed >= until:
                break
        else:
            self._ended = True
        columns = _columns([values for _, values in good], len(self._shape.names))
        return Chunk(
            np.array(rows, dtype=np.int64),
            np.array([line for line, _ in good], dtype=np.int64),
            dict(zip(self._shape.names, columns, strict=True)),
            bad,
            self._row,
            share,
        )

    def _check(self) -> None:
        again = self._lines.reread > max(_FREE_REREAD, _MAX_REREAD * self._lines.passed)
        if again or self._bad > max(_MANY_BAD, self._row / 2):
            raise FileRefused(
                "too-many-bad-rows",
                f"{self._bad:,} of the first {self._row:,} rows cannot be read: are the delimiter"
                " and the quote right?",
                line=self._lines.read,
            )


def reason_of(record: Record) -> str:
    """Return what is wrong with a record, for the sender of the file, without a cell of it."""
    if record.code == UNDECODABLE:
        return "not text in the encoding of the file"
    if record.code == NOT_CSV:
        found = record.problem.removeprefix("not CSV: ")
        return (
            f"a value is longer than {MAX_FIELD:,} characters"
            if ("field limit" in found)
            else f"the quotes are broken: {found}"
        )
    return record.problem


_TOO_LONG: Final = f"line {{line}} is longer than {MAX_RECORD:,} bytes"


def _too_long(lines: Lines) -> FileRefused:
    line = lines.read + 1
    return FileRefused("too-long", _TOO_LONG.format(line=line), line=line)


def _columns(rows: list[list[str]], width: int) -> list[pa.Array]:
    return [pa.array([row[i] for row in rows], pa.string()) for i in range(width)]
