"""Lines of a text file: decoded, counted, and given back where a record is broken."""

from __future__ import annotations

import codecs
import re
from collections import deque
from typing import Any, BinaryIO

from data.layout.fields import FileForm

MAX_FIELD = 1 << 17
_MAX_LINE = 4 * MAX_FIELD
_ONE_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def unrolled(file: BinaryIO) -> BinaryIO | Utf16:
    """The file itself, or its UTF-8 where its first bytes are those of UTF-16."""
    start = file.read(2)
    file.seek(0)
    encoding = utf16_of(start)
    return file if encoding is None else Utf16(file, encoding)


def utf16_of(start: bytes) -> str | None:
    """The kind of UTF-16 that a file begins with, None if it is none.

    Not every program writes its mark; a first letter of ASCII has a byte of zeros beside it.

    >>> utf16_of("\\ufeffid".encode("utf-16-le")), utf16_of(b"i\\0d\\0"), utf16_of(b"id")
    ('utf-16', 'utf-16-le', None)
    """
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(start) < 2 or (start[0] == 0) == (start[1] == 0):
        return None
    return "utf-16-be" if start[0] == 0 else "utf-16-le"


class Utf16:
    """A file of UTF-16 as lines of UTF-8: what Excel calls Unicode text."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._text = ""

    def readline(self, size: int) -> bytes:
        """One line, or `size` bytes of it; empty at the end."""
        while (end := self._text.find("\n")) < 0 and len(self._text) < size:
            block = self._file.read(1 << 16)
            self._text += self._decoder.decode(block, final=not block)
            if not block:
                break
        end = len(self._text) if end < 0 else end + 1
        line, self._text = self._text[:end], self._text[end:]
        return line.encode(errors="replace")


class Lines:
    """Decoded lines of a file, those of the current record kept to be given back.

    Attributes:
        read: lines behind us.
        garbled: line, place in it and value of a byte of the current record that is no text; None
            if all are.
    """

    def __init__(self, file: BinaryIO | Utf16, form: FileForm) -> None:
        self._file: Any = file
        self.utf16 = isinstance(file, Utf16)
        self.encoding = "utf-8" if self.utf16 else form.encoding
        self._taken: list[bytes] = []
        self._returned: deque[bytes] = deque()
        self._ahead: deque[bytes] = deque()
        self._escaped = _escaped_sign(form)
        self.read = 0
        self.garbled: tuple[int, int, int] | None = None
        self._drop_separator_line()

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        # A line without end must not fill the memory: it comes in pieces, too long for a field.
        line = self._returned.popleft() if self._returned else self._line()
        if not line:
            raise StopIteration
        self.read += 1
        self._taken.append(line)
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError as error:
            self.garbled = self.garbled or (self.read, error.start + 1, line[error.start])
            text = line.decode(self.encoding, errors="replace")
        return text if self._escaped is None else self._escaped.sub(_kept, text)

    def begin(self) -> int:
        """A record begins: forget the last one. Returns the number of its line, from 1."""
        self._taken.clear()
        self.garbled = None
        return self.read + 1

    def give_back(self) -> None:
        """All lines of the current record but its first are read again."""
        again = self._taken[1:]
        self._returned.extendleft(reversed(again))
        self.read -= len(again)
        del self._taken[1:]

    def skip(self, lines: int) -> None:
        """Go past some lines, whatever they hold."""
        for _ in range(lines):
            if next(self, None) is None:
                return
            self._taken.clear()
            self.garbled = None

    def _drop_separator_line(self) -> None:
        """Excel says in a first line of its own what delimits: `sep=;`."""
        first = self._line().removeprefix(codecs.BOM_UTF8)
        if re.fullmatch(rb'"?sep=.?"?\s*', first):
            self.read = 1
        elif first:
            self._returned.append(first)

    def _line(self) -> bytes:
        ahead = self._ahead
        while not ahead or (len(ahead) == 1 and not ahead[0].endswith(b"\n")):
            more: bytes = self._file.readline(_MAX_LINE)
            if not ahead and more.find(b"\r", 0, -2) < 0:
                return more
            # Carriage returns end lines as well. The last piece may go on.
            block = (ahead.pop() if ahead else b"") + more
            ahead.extend(_ONE_LINE.findall(block))
            if not more or (len(ahead) == 1 and len(block) > _MAX_LINE):
                break
        return ahead.popleft() if ahead else b""


def decoding_hint(garbled: tuple[int, int, int], encoding: str) -> str:
    """What to say of a byte that is no text in the layout's encoding."""
    line, place, value = garbled
    said = f"not {encoding} text: byte 0x{value:02x} at place {place} of line {line}"
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return said
    return f'{said}; is it another encoding? Say so in the layout, [file] encoding = "cp1252"'


def _escaped_sign(form: FileForm) -> re.Pattern[str] | None:
    """What finds an escape and the sign after it; None where a quote is doubled instead."""
    if form.escape is None or form.escape == form.quote:
        return None
    return re.compile(rf"({re.escape(form.escape)})(.)")


def _kept(found: re.Match[str]) -> str:
    """A letter or a digit has no meaning that could be taken: to the reader \\N or \\t would be the
    letter alone, so the escape is escaped itself."""
    return found[1] * 2 + found[2] if found[2].isalnum() else found[0]
