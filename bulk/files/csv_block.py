"""A block of a CSV file by Arrow's reader, where that gives what the exact reader gives.

Arrow reads ten times faster than `data.files.csv_records`, but knows no lines, fails as a whole at
a broken row, and is lenient about quotes. So a block is examined first: it is read here only if it
has no construct on which the two readers differ. Anything else is left to the exact reader.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from data.files.csv_lines import MAX_FIELD, MAX_RECORD_LINES
from data.layout.fields import CsvDialect

_NONE = pa.array([], pa.string())

Places = NDArray[np.int64]

_NEWLINE, _RETURN, _SPACE = b"\n\r "
_ONE_BYTE = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d|cp85\d|koi8-.|mac-\w+")
"""Encodings in which an ASCII byte is never a part of another character."""


class Block(NamedTuple):
    """n rows of a block.

    Attributes:
        columns: string[n] each, in the order of the file.
        lines: int64[n], line on which each row begins, from 0 at the block's first.
        bytes: size of the block.
        line_count: lines that it has.
    """

    columns: list[pa.Array]
    lines: Places
    bytes: int
    line_count: int


@dataclass(frozen=True)
class BlockReader:
    """Reads blocks of one file.

    Args:
        dialect: of the file.
        width: values of a row.
        trailing: empty values that each row has after those.
    """

    dialect: CsvDialect
    width: int
    trailing: int

    @cached_property
    def usable(self) -> bool:
        """Whether the dialect is one that Arrow can read."""
        marks = (self.dialect.delimiter, self.dialect.quote or self.dialect.delimiter)
        return (
            self.dialect.escape in (None, self.dialect.quote)
            and all(mark.isascii() and mark not in "\r\n" for mark in marks)
            and self.dialect.quote != " "
            and _ONE_BYTE.fullmatch(codecs.lookup(self.dialect.encoding).name) is not None
        )

    def read(self, window: bytes, last: bool) -> Block | None:
        """Read the whole records at the beginning of a window.

        Args:
            window: bytes that begin with a record.
            last: the file ends with them.

        Returns:
            None if there is no whole record, or one on which the readers differ.
        """
        if not self.usable:
            return None
        marks = _Marks.of(window, self.dialect, last)
        if marks is None or not marks.plain(self.dialect):
            return None
        text = self._utf8(window[: marks.size], bool(marks.quotes.size))
        starts = marks.starts
        if text is None:
            return None
        columns = self._columns(text) if starts.size else [_NONE] * self.width
        if columns is None or (columns and len(columns[0]) != len(starts)):
            return None
        lines = np.searchsorted(marks.newlines, starts)
        return Block(columns, lines, marks.size, len(marks.newlines) + marks.unended)

    def _utf8(self, block: bytes, quoted: bool) -> bytes | None:
        if self.dialect.delimiter != " " and not quoted:
            # The exact reader skips spaces before a value.
            delimiter = self.dialect.delimiter.encode()
            if delimiter + b" " in block:
                block = re.sub(re.escape(delimiter) + b" +", delimiter, block)
        if codecs.lookup(self.dialect.encoding).name == "utf-8":
            return block
        try:
            return block.decode(self.dialect.encoding).encode()
        except UnicodeDecodeError:
            return None

    def _columns(self, text: bytes) -> list[pa.Array] | None:
        names = [str(i) for i in range(self.width + self.trailing)]
        try:
            table = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1),
                csv.ParseOptions(
                    delimiter=self.dialect.delimiter,
                    quote_char=self.dialect.quote or False,
                    newlines_in_values=self.dialect.quote is not None,
                ),
                csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
            )
        except pa.ArrowInvalid:
            return None
        columns = [column.combine_chunks() for column in table.columns]
        if any(_has_text(column) for column in columns[self.width :]):
            return None
        return columns[: self.width]


@dataclass(frozen=True)
class _Marks:
    """Where the records of a window end, and its quotes.

    Attributes:
        block: uint8, the window up to the end of its last whole record.
        newlines: places of all line feeds in it.
        ends: places of those that end a record; the last one may lie just beyond the block.
        quotes: places of the quotes.
        unended: 1 if the last line has no line feed.
    """

    block: NDArray[np.uint8]
    newlines: Places
    ends: Places
    quotes: Places
    unended: int

    @classmethod
    def of(cls, window: bytes, dialect: CsvDialect, last: bool) -> _Marks | None:
        buffer = np.frombuffer(window, np.uint8)
        newlines = np.flatnonzero(buffer == _NEWLINE)
        quotes = newlines[:0]
        if dialect.quote is not None:
            quotes = np.flatnonzero(buffer == ord(dialect.quote))
        ends = newlines
        if quotes.size:
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        unended = int(last and bool(window) and window[-1] != _NEWLINE)
        if unended:
            ends = np.append(ends, len(window))
        if not ends.size:
            return None
        size = min(int(ends[-1]) + 1, len(window))
        if last and size < len(window):
            return None  # it ends within quotes
        quotes = quotes[: np.searchsorted(quotes, size)]
        newlines = newlines[: np.searchsorted(newlines, size)]
        return cls(buffer[:size], newlines, ends, quotes, unended)

    @property
    def size(self) -> int:
        """Bytes of the block."""
        return len(self.block)

    @cached_property
    def _bounds(self) -> tuple[Places, Places]:
        """Where each record begins and ends, blank ones included."""
        starts = np.concatenate(([0], self.ends[:-1] + 1))
        stops = self.ends.copy()
        before = self.block[np.maximum(stops - 1, 0)]
        stops -= (before == _RETURN) & (stops > starts)
        return starts, stops

    @cached_property
    def starts(self) -> Places:
        """Where each record begins, without blank ones."""
        starts, stops = self._bounds
        kept: Places = starts[stops > starts]
        return kept

    def plain(self, dialect: CsvDialect) -> bool:
        """Whether both readers read the block alike, if they can."""
        starts, stops = self._bounds
        return (
            bool((stops - starts).max() <= MAX_FIELD)
            and (not self.quotes.size or self._most_lines() < MAX_RECORD_LINES)
            and self._returns_end_lines()
            and not self.block[:3].tobytes().startswith(codecs.BOM_UTF8)
            and self._quotes_surround(ord(dialect.delimiter))
            and (dialect.delimiter == " " or self._no_spaces_matter(ord(dialect.delimiter)))
        )

    def _most_lines(self) -> int:
        first, last = (np.searchsorted(self.newlines, places) for places in self._bounds)
        return int((last - first).max()) + 1

    def _returns_end_lines(self) -> bool:
        """Whether each carriage return stands before a line feed."""
        returns = np.flatnonzero(self.block == _RETURN)
        if not returns.size:
            return True
        return int(returns[-1]) + 1 < self.size and bool(
            (self.block[returns + 1] == _NEWLINE).all()
        )

    def _quotes_surround(self, delimiter: int) -> bool:
        """Whether each quote opens or closes a value, or is one of two in a value."""
        if not self.quotes.size:
            return True
        if self.quotes.size % 2:
            return False
        opening, closing = self.quotes[::2], self.quotes[1::2]
        padded = np.full(self.size + 2, _NEWLINE, dtype=np.uint8)
        padded[1:-1] = self.block
        before, after = padded[opening], padded[closing + 2]
        doubled = np.zeros(len(opening) + 1, dtype=np.bool_)
        doubled[1:-1] = opening[1:] == closing[:-1] + 1
        opens = (before == delimiter) | (before == _NEWLINE) | doubled[:-1]
        closes = (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | doubled[1:]
        return bool(opens.all() and closes.all())

    def _no_spaces_matter(self, delimiter: int) -> bool:
        """Whether no record begins with a space and, among quotes, no value does outside of them.

        The exact reader skips such spaces. Without quotes they are removed before Arrow reads.
        """
        if (self.block[self._bounds[0]] == _SPACE).any():
            return False
        if not self.quotes.size:
            return True
        spaced = np.flatnonzero((self.block[:-1] == delimiter) & (self.block[1:] == _SPACE))
        return bool((np.searchsorted(self.quotes, spaced) % 2 == 1).all())


def _has_text(column: pa.Array) -> bool:
    return bool(column.nbytes and "".join(column.to_pylist()))
