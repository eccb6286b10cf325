"""A result as CSV, made while it is downloaded.

UTF-8 with a header, RFC 4180: lines end with CR LF, and a value is in quotes only if it has a
comma, a quote or a line end, or a semicolon or a tab, which some spreadsheets split at too.

**Formulas.** A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end as
a formula, so a file could attack whoever opens its result (OWASP, "CSV Injection"). Such a text
gets an apostrophe before it, unless it is a plain number like -12.50; likewise if spaces or
invisible characters come first, which some programs drop. The names of columns, too. Numbers of
Parquet files and workbooks stay as they are. The result as Parquet keeps every cell untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.cells.texts import texts, without_dictionary

_ROWS: Final = 5_000
"""Most rows of a chunk."""

_BYTES: Final = 1 << 24
"""About the most bytes of a chunk: rows may be long."""

_BLANKS: Final = (
    r"[\x00-\x20\x7F\x{A0}\x{1680}\x{2000}-\x{200F}\x{2028}-\x{202F}\x{205F}-\x{2064}\x{3000}"
    r"\x{FEFF}]*"
)
_FORMULA: Final = rf"^(?:[\t\r\n]|{_BLANKS}[=+\-@＝＋－＠])"
_NUMBER: Final = r"^ *[+-]?(?:\d[\d.,' \x{A0}\x{202F}]*|[.,]\d+)(?:[eE][+-]?\d+)?%? *$"
_STARTS: Final = (b"=", b"+", b"-", b"@", b"\t", b"\r", b"\n", b"\xef\xbc")
_QUOTED: Final = r'[",;\t\r\n]'
_SPECIAL: Final = (b'"', b",", b";", b"\t", b"\r", b"\n")


def csv_chunks(parquet: Path) -> Iterator[bytes]:
    """Yield a Parquet file as CSV, in chunks of up to some thousand rows.

    A null is an empty value. So are bytes that are not UTF-8 and times that no calendar has, such
    as those beyond the year 9999.
    """
    file = pq.ParquetFile(parquet, pre_buffer=False, buffer_size=1 << 16)
    with file:
        yield from csv_of(file.schema_arrow.names, file.iter_batches(_ROWS))


def csv_of(names: list[str], batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """Yield a table as CSV: the header, then a chunk for each batch."""
    header = [_quoted(_harmless(pa.array([name], pa.string())))[0].as_py() for name in names]
    yield ",".join(header).encode() + b"\r\n"
    for batch in batches:
        step = max(batch.num_rows * _BYTES // max(batch.nbytes, _BYTES), 1)
        for start in range(0, batch.num_rows, step):
            columns = batch[start : start + step].columns
            yield _lines([_values(column) for column in columns])


def _lines(columns: list[pa.Array]) -> bytes:
    """Join values to rows, each with its line end."""
    rows = pc.binary_join_element_wise(*columns, ",")
    return _bytes(pc.binary_join_element_wise(rows, "", "\r\n"))


def _bytes(cells: pa.Array) -> bytes:
    """All texts of a string array, one after the other."""
    _, offsets, data = cells.buffers()
    if data is None or offsets is None:
        return b""
    ends = np.frombuffer(offsets, np.int32)
    begin, end = int(ends[cells.offset]), int(ends[cells.offset + len(cells)])
    return bytes(data.slice(begin, end - begin))


def _values(column: pa.Array) -> pa.Array:
    """The text of each cell as it is in the file."""
    cells = without_dictionary(column)
    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(_harmless(cells.cast(pa.string()))).fill_null("")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return cells.cast(pa.string()).fill_null("")
    return _quoted(_harmless(_text(cells))).fill_null("")


def _text(cells: pa.Array) -> pa.Array:
    """Times, decimals and other types: ISO 8601 and all digits, as they are read from a file."""
    if pa.types.is_decimal(cells.type):
        return cells.cast(pa.string())
    return texts(cells).values


def _matching(cells: pa.Array, marks: tuple[bytes, ...], pattern: str) -> pa.Array | None:
    """Which texts match a pattern; None if none does.

    Args:
        marks: a text that matches has one of them. That no text has any is quick to see.
    """
    data = _bytes(cells)
    if not any(mark in data for mark in marks):
        return None
    found = pc.match_substring_regex(cells, pattern)
    return found if pc.any(found).as_py() else None


def _harmless(cells: pa.Array) -> pa.Array:
    suspect = _matching(cells, _STARTS, _FORMULA)
    if suspect is None:
        return cells
    formula = pc.and_not(suspect, pc.match_substring_regex(cells, _NUMBER))
    return pc.if_else(formula, pc.binary_join_element_wise("'", cells, ""), cells)


def _quoted(cells: pa.Array) -> pa.Array:
    special = _matching(cells, _SPECIAL, _QUOTED)
    if special is None:
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), cells)
