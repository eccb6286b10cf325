"""Lines of a text file: decoded, counted, and read again where a record is broken."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from typing import BinaryIO, Protocol

from data.layout.fields import CsvDialect

MAX_FIELD = 1 << 17
"""Characters of the longest value. A row with a longer one is broken."""

MAX_RECORD = 8 * MAX_FIELD
"""Bytes of the longest record. A longer one has a quote that never ends."""

MAX_RECORD_LINES = 1_000
"""Lines of the longest record, likewise."""

_MAX_LINE = MAX_RECORD
_ONE_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class ReadsBytes(Protocol):
    """Bytes of a text: of a file, or unpacked on the way."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, about `size`; empty at the end."""


class ReadsLines(Protocol):
    """Lines of a text in bytes."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or `size` bytes of a longer one; empty at the end."""


def as_utf8(file: BinaryIO) -> BinaryIO | Utf16:
    """Return the file, or its lines in UTF-8 if it begins as UTF-16 does."""
    start = file.read(2)
    file.seek(0)
    encoding = utf16_of(start)
    return file if encoding is None else Utf16(file, encoding)


def utf16_of(start: bytes) -> str | None:
    """Return the UTF-16 encoding of a file by its first bytes; None if it has another.

    Not every program writes a byte order mark, but an ASCII letter has a zero byte beside it.

    >>> utf16_of("\\ufeffid".encode("utf-16-le")), utf16_of(b"i\\0d\\0"), utf16_of(b"id")
    ('utf-16', 'utf-16-le', None)
    """
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(start) < 2 or (start[0] == 0) == (start[1] == 0):
        return None
    return "utf-16-be" if start[0] == 0 else "utf-16-le"


class Utf16:
    """A UTF-16 file, Excel's "Unicode text", as lines of UTF-8."""

    def __init__(self, file: ReadsBytes, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._text = ""

    def readline(self, size: int) -> bytes:
        """Return the next line, or a part of `size` characters of it; empty at the end."""
        while (end := self._text.find("\n")) < 0 and len(self._text) < size:
            if not self._more():
                break
        end = len(self._text) if end < 0 else end + 1
        line, self._text = self._text[:end], self._text[end:]
        return line.encode(errors="replace")

    def read(self, size: int) -> bytes:
        """Return about `size` bytes of UTF-8; empty at the end."""
        while len(self._text) < size and self._more():
            pass
        text, self._text = self._text, ""
        return text.encode(errors="replace")

    def _more(self) -> bool:
        block = self._file.read(1 << 16)
        self._text += self._decoder.decode(block, final=not block)
        return bool(block)


class Lines:
    """Decoded lines of a file. Those of the current record can be read again.

    Attributes:
        read: number of lines read so far.
        passed: their bytes.
        reread: bytes that were read more than once, since records were broken.
        undecodable: line, position in it and value of the first byte of the current record that
            cannot be decoded; None if all can.
    """

    def __init__(self, file: ReadsLines, dialect: CsvDialect) -> None:
        self._file = file
        self.utf16 = isinstance(file, Utf16)
        self.encoding = "utf-8" if self.utf16 else dialect.encoding
        self._taken: list[bytes] = []
        self._returned: deque[bytes] = deque()
        self._ahead: deque[bytes] = deque()
        self._escaped = _escape_pattern(dialect)
        self._taken_bytes = 0
        self.read = 0
        self.passed = 0
        self.reread = 0
        self.undecodable: tuple[int, int, int] | None = None
        self._drop_separator_line()

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        # An endless line must not fill the memory: it is split, and its parts are too long for a
        # field.
        line = self._returned.popleft() if self._returned else self._line()
        if not line:
            raise StopIteration
        if self._taken and (
            self._taken_bytes + len(line) > MAX_RECORD or len(self._taken) == MAX_RECORD_LINES
        ):
            self._returned.appendleft(line)
            raise csv.Error("a quote that does not end")
        self.read += 1
        self.passed += len(line)
        self._taken.append(line)
        self._taken_bytes += len(line)
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError as error:
            self.undecodable = self.undecodable or (self.read, error.start + 1, line[error.start])
            text = line.decode(self.encoding, errors="replace")
        return text if self._escaped is None else self._escaped.sub(_kept, text)

    def begin(self) -> int:
        """Begin a record and forget the last one. Return the number of its line, from 1."""
        self._forget()
        return self.read + 1

    def rewind(self) -> None:
        """Read all lines of the current record but the first again."""
        again = self._taken[1:]
        self._returned.extendleft(reversed(again))
        self.read -= len(again)
        self.reread += (size := sum(map(len, again)))
        self.passed -= size
        del self._taken[1:]

    def skip(self, lines: int) -> None:
        """Skip lines, whatever they hold."""
        for _ in range(lines):
            if next(self, None) is None:
                return
            self._forget()

    @property
    def within_piece(self) -> bool:
        """Whether more of the file was read than a line, since carriage returns end lines."""
        return bool(self._ahead)

    def give_back(self) -> bytes:
        """Return what was read of the file beyond the current record, and forget it."""
        beyond = b"".join((*self._returned, *self._ahead))
        self._returned.clear()
        self._ahead.clear()
        return beyond

    def _forget(self) -> None:
        self._taken.clear()
        self._taken_bytes = 0
        self.undecodable = None

    def _drop_separator_line(self) -> None:
        """Skip Excel's first line `sep=;`, which names the delimiter."""
        first = self._line().removeprefix(codecs.BOM_UTF8)
        if re.fullmatch(rb'"?sep=.?"?\s*', first):
            self.read = 1
        elif first:
            self._returned.append(first)

    def _line(self) -> bytes:
        ahead = self._ahead
        while not ahead or (len(ahead) == 1 and not ahead[0].endswith(b"\n")):
            more = self._file.readline(_MAX_LINE)
            if not ahead and more.find(b"\r", 0, -2 if more[-1:] == b"\n" else len(more)) < 0:
                return more
            # Carriage returns end lines as well. The last part may continue.
            block = (ahead.pop() if ahead else b"") + more
            ahead.extend(_ONE_LINE.findall(block))
            if not more or (len(ahead) == 1 and len(block) > _MAX_LINE):
                break
        return ahead.popleft() if ahead else b""


def decoding_hint(undecodable: tuple[int, int, int], encoding: str) -> str:
    """Return the message for a byte that cannot be decoded, and which setting may be wrong."""
    line, position, value = undecodable
    problem = f"not {encoding} text: byte 0x{value:02x} at position {position} of line {line}"
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return problem
    return f'{problem}; set another encoding in the layout: [file] encoding = "cp1252"'


def _escape_pattern(dialect: CsvDialect) -> re.Pattern[str] | None:
    """A pattern for an escape and the next character; None if quotes are doubled instead."""
    if dialect.escape is None or dialect.escape == dialect.quote:
        return None
    return re.compile(rf"({re.escape(dialect.escape)})(.)")


def _kept(found: re.Match[str]) -> str:
    """Escape the escape before a letter or a digit: csv.reader would read \\N as N alone."""
    return found[1] * 2 + found[2] if found[2].isalnum() else found[0]
