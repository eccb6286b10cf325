"""The bytes of a text file, unpacked on the way, and bounded."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from bulk.files.refused import FileRefused
from data.files.csv_lines import MAX_RECORD, ReadsBytes, Utf16, utf16_of

MAX_RATIO: Final = 200
"""Unpacked bytes to packed ones from which on a gzip file is taken for a bomb. Tables of payments
have 3 to 20; gzip reaches 1,032."""

_FREE_BYTES: Final = 1 << 26
"""The ratio is not judged before so many bytes: a small file may repeat itself."""

_BLOCK: Final = 1 << 20


class LineTooLong(Exception):
    """A line is longer than `MAX_RECORD` bytes."""


class Unpacked:
    """The bytes of an open file, unpacked if it is a gzip file.

    Args:
        raw: the file, at its beginning.
        packed: it is a gzip file.
        max_bytes: most bytes that it may unpack to.
    """

    def __init__(self, raw: BinaryIO, packed: bool, max_bytes: int) -> None:
        self._raw = raw
        self._gzip = gzip.GzipFile(fileobj=raw) if packed else None
        self._max_bytes = max_bytes
        self._count = 0

    @property
    def place(self) -> int:
        """Bytes of the file that were read."""
        return self._raw.tell()

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; empty at the end.

        Raises:
            FileRefused: the file is damaged, or larger than allowed.
        """
        if self._gzip is None:
            block = self._raw.read(size)
        else:
            try:
                block = self._gzip.read(size)
            except (OSError, EOFError, zlib.error):
                raise FileRefused("damaged", "the gzip file is damaged or ends early") from None
        self._count += len(block)
        if self._count > self._max_bytes:
            raise FileRefused(
                "too-large", f"the file unpacks to more than {self._max_bytes:,} bytes"
            )
        if self._gzip is not None and self._count > max(_FREE_BYTES, MAX_RATIO * self._raw.tell()):
            raise FileRefused(
                "bomb", f"the gzip file unpacks to more than {MAX_RATIO} times its size"
            )
        return block


class Feed:
    """A text as lines or as windows of bytes.

    Args:
        read: returns the next bytes, at most so many; empty at the end.

    Attributes:
        consumed: bytes that were taken, less those put back.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._data = b""
        self._at = 0
        self._ended = False
        self.consumed = 0

    def readline(self, size: int) -> bytes:
        """Take the next line, or `size` bytes of a longer one that has carriage returns.

        Raises:
            LineTooLong: it is longer, and has none.
        """
        end = self._data.find(b"\n", self._at, self._at + size)
        if end < 0 and not self._ended:
            self._fill(size)
            end = self._data.find(b"\n", self._at, self._at + size)
        if end < 0:
            end = min(self._at + size, len(self._data)) - 1
            if end - self._at + 1 >= MAX_RECORD and self._data.find(b"\r", self._at, end) < 0:
                raise LineTooLong
        return self._take(end + 1 - self._at)

    def window(self, size: int) -> tuple[bytes, bool]:
        """Return the next bytes without taking them, at least `size` unless the text ends, and
        whether it ends with them."""
        self._fill(size)
        last = self._ended and len(self._data) - self._at <= size
        return self._data[self._at : self._at + size], last

    def advance(self, size: int) -> None:
        """Take bytes of the window."""
        self._at += size
        self.consumed += size

    def put_back(self, data: bytes) -> None:
        """Give back bytes that were taken last."""
        if data:
            self._data = data + self._data[self._at :]
            self._at = 0
            self.consumed -= len(data)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self.advance(len(taken))
        return taken

    def _fill(self, size: int) -> None:
        blocks, there = [self._data[self._at :]], len(self._data) - self._at
        if there > size or self._ended:
            return
        while there <= size and not self._ended:
            block = self._read(_BLOCK)
            self._ended = not block
            there += len(block)
            blocks.append(block)
        self._data, self._at = b"".join(blocks), 0


@contextmanager
def unpacked(path: Path, packed: bool, max_bytes: int) -> Iterator[Unpacked]:
    """Open a text file for reading its bytes."""
    with path.open("rb") as raw:
        yield Unpacked(raw, packed, max_bytes)


def feed_of(source: ReadsBytes) -> Feed:
    """Return a text from its beginning, in UTF-8 if it is UTF-16."""
    again = _Again(source)
    encoding = utf16_of(again.start[:2])
    return Feed(again.read if encoding is None else Utf16(again, encoding).read)


class _Again:
    """A text whose beginning is known.

    Attributes:
        start: its first bytes; the first read returns them.
    """

    def __init__(self, source: ReadsBytes) -> None:
        self._source = source
        self.start = self._unread = source.read(_BLOCK)

    def read(self, size: int) -> bytes:
        """See `Unpacked`; the first bytes may be more than `size`."""
        unread, self._unread = self._unread, b""
        return unread or self._source.read(size)
