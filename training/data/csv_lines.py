"""Lines of a text file: decoded, counted, and given back where a record is broken."""

from __future__ import annotations

import codecs
import re
from collections import deque
from typing import Any, BinaryIO

from training.data.fields import FileForm

MAX_FIELD = 1 << 17
_MAX_LINE = 4 * MAX_FIELD
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ONE_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def unrolled(file: BinaryIO) -> BinaryIO | Utf16:
    """The file itself, or its UTF-8 where it says that it is UTF-16."""
    start = file.read(2)
    file.seek(0)
    return Utf16(file) if start in _UTF16 else file


class Utf16:
    """A file of UTF-16 as lines of UTF-8: what Excel calls Unicode text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
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
        self._null = _null_mark(form)
        self.read = 0
        self.garbled: tuple[int, int, int] | None = None
        self._cr = self._ends_with_cr(form.quote)
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
        # To the reader \\N would be the letter with its meaning taken.
        return self._null.sub(lambda found: "\\" + found[0], text) if self._null else text

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

    def _ends_with_cr(self, quote: str | None) -> bool:
        """Whether lines end with a carriage return alone: by the first end outside of quotes."""
        start: bytes = self._file.readline(_MAX_LINE).removeprefix(codecs.BOM_UTF8)
        if start:
            self._ahead.append(start)
        mark = b"" if quote is None or not quote.isascii() else quote.encode()
        inside = False
        for at in range(len(start)):
            sign = start[at : at + 1]
            if sign == mark:
                inside = not inside
            elif not inside and sign in (b"\r", b"\n"):
                return sign == b"\r" and start[at + 1 : at + 2] != b"\n"
        return False

    def _drop_separator_line(self) -> None:
        """Excel says in a first line of its own what delimits: `sep=;`."""
        first = self._line()
        if re.fullmatch(rb'"?sep=.?"?\s*', first):
            self.read = 1
        elif first:
            self._returned.append(first)

    def _line(self) -> bytes:
        if not self._cr:
            line: bytes = self._ahead.popleft() if self._ahead else self._file.readline(_MAX_LINE)
            return line
        while len(self._ahead) < 2:
            # The last piece may go on, and a line feed may follow its carriage return.
            more = self._file.readline(_MAX_LINE)
            block = (self._ahead.pop() if self._ahead else b"") + more
            self._ahead.extend(_ONE_LINE.findall(block))
            if not more:
                break
            if len(self._ahead) == 1 and len(block) > _MAX_LINE:
                break
        return self._ahead.popleft() if self._ahead else b""


def decoding_hint(garbled: tuple[int, int, int], encoding: str) -> str:
    """What to say of a byte that is no text in the layout's encoding."""
    line, place, value = garbled
    said = f"not {encoding} text: byte 0x{value:02x} at place {place} of line {line}"
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return said
    return f'{said}; is it another encoding? Say so in the layout, [file] encoding = "cp1252"'


def _null_mark(form: FileForm) -> re.Pattern[str] | None:
    if form.escape != "\\":
        return None
    between = re.escape(form.delimiter)
    return re.compile(rf"(?:(?<=^)|(?<={between}))\\N(?=$|{between}|\r|\n)")
