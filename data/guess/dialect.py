"""How a CSV file is written: encoding, delimiter, quote, header."""

from __future__ import annotations

import codecs
import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data.files.chunk import SourceUnreadable
from data.files.csv_lines import utf16_of
from data.guess.column import looks_like_a_value
from data.layout.fields import CsvDialect

SAMPLE_BYTES = 1 << 18
"""Bytes of a block. The first block of a text is what the dialect is guessed from."""

_SEARCHED_BYTES = 1 << 27
_MAX_SKIPPED = 30
_DELIMITERS = ",;\t|^~\x01"


def guess_dialect(path: Path) -> CsvDialect:
    """Guess the dialect from the first lines, and the encoding from the first 128 MB.

    Raises:
        SourceUnreadable: there is no such file, or it is empty.
    """
    if not path.is_file():
        raise SourceUnreadable(f"{path}: no such file")
    if not next(_blocks(path), b"").strip():
        raise SourceUnreadable(f"{path}: is empty")
    return dialect_of(lambda: _blocks(path))


def dialect_of(blocks: Callable[[], Iterator[bytes]]) -> CsvDialect:
    """Guess the dialect of a text.

    Args:
        blocks: returns the text from its beginning, in blocks of at most 256 KiB, unpacked. The
            first one shows how the text is written, all show its encoding.
    """
    start = next(blocks(), b"")
    if utf16 := utf16_of(start):
        text, encoding = start.decode(utf16, errors="replace"), "utf-8"
    else:
        encoding = _encoding(blocks)
        text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)
    lines = lines[:-1] if len(start) == SAMPLE_BYTES and len(lines) > 1 else lines
    if lines and lines[0].strip().strip('"').startswith("sep="):
        lines = lines[1:]
    quote = _quote(lines)
    delimiter, rows = max(
        ((d, _rows(lines, d, quote)) for d in _DELIMITERS), key=lambda pair: _order(pair[1])
    )
    width = _width(rows)
    skipped = _skipped(rows, width)
    return CsvDialect(
        delimiter=delimiter,
        encoding=encoding,
        quote=quote,
        header=_has_header(rows[skipped:], width),
        skip_lines=skipped,
    )


def _blocks(path: Path) -> Iterator[bytes]:
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        while block := file.read(SAMPLE_BYTES):
            yield block


def _encoding(blocks: Callable[[], Iterator[bytes]]) -> str:
    decoder, read = codecs.getincrementaldecoder("utf-8")(), 0
    for block in blocks():
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return "cp1252" if _is_cp1252(blocks()) else "latin-1"
        read += len(block)
        if read > _SEARCHED_BYTES:
            break
    return "utf-8"


def _is_cp1252(blocks: Iterator[bytes]) -> bool:
    unused = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
    return not any(byte in block for block in blocks for byte in unused)


def _quote(lines: list[str]) -> str:
    text = "".join(lines)
    for quote in "\"'":
        if sum(text.count(f"{d}{quote}") + text.count(f"{quote}{d}") for d in _DELIMITERS) > 1:
            return quote
    return '"'


def _rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    try:
        rows.extend(row for row in reader if row)
    except csv.Error:
        return rows
    return rows


def _width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0] if rows else 0


def _order(rows: list[list[str]]) -> tuple[bool, float, int]:
    """Larger for a better delimiter: it splits rows, into equal numbers of values, and many."""
    width = _width(rows)
    alike = sum(len(row) == width for row in rows) / max(len(rows), 1)
    return width > 1, round(alike, 1), width


def _skipped(rows: list[list[str]], width: int) -> int:
    """The number of lines before the table: they have few values."""
    for i, row in enumerate(rows[:_MAX_SKIPPED]):
        if len([value for value in row if value.strip()]) > width // 2:
            return i
    return 0


def _has_header(rows: list[list[str]], width: int) -> bool:
    first = [value.strip() for value in rows[0]] if rows else []
    while first and not first[-1]:
        first.pop()
    if len(set(first)) < len(first) * 0.6 or not first:
        return False
    return not any(looks_like_a_value(value) for value in first) or width == 1
