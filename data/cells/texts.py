"""Cells of any Arrow type as one canonical text each.

An id is the same in CSV and in Parquet, as an integer, a float, a decimal or a text. A cell whose
text cannot be known (a float that lost digits, bytes that are not text) is unreadable; its text is
never guessed.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Markers = frozenset[str]

_MISSING_LINE = (
    "NULL Null null <NULL> <null> (null) [NULL] #NULL #NULL! \\N NA N/A n/a N.A. n.a. #N/A <NA>"
    " nan NaN NAN Nan -nan NaT None none NONE nil NIL undefined UNDEFINED (blank)"
    " - -- --- \u2013 \u2014 ? ."
)
DEFAULT_MISSING: Markers = frozenset(_MISSING_LINE.split())
"""Texts that count as missing unless a layout lists its own. An empty cell always does."""

_MOST_EXACT = {"halffloat": 2.0**11, "float": 2.0**24, "double": 2.0**53}
"""Type of float -> the number from which on not every whole number has a value of its own."""

_LONGEST_EXACT = 17
"""Characters of the longest whole number below 2^53, with its sign."""

_WHOLE = re.compile(r"([+-]?(?:0|[1-9]\d*))\.0+")
_SCIENTIFIC = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?[eE]([+-]?)(\d{1,4})")
_EXCEL_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_EXCEL_ERROR = re.compile(r"#+|#(?:REF|VALUE|DIV/0|NUM|SPILL|CALC)!|#NAME\?")

_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
_WIDTHLESS = "\u200b\u200e\u200f\u2060\ufeff"

_LOST = "\ufffd"
"""Written instead of a letter that a program could not encode. The letter is lost."""

# Texts that `canonical_text` may change or reject: one search over a chunk finds them.
_UNUSUAL = (
    r'(?i)\x{FFFD}|^(?:true|false|[+-]?\d+\.0+|[+-]?\d+(?:\.\d*)?e[+-]?\d{1,4}|="(?s:.*)"|#.*)$'
)


class Texts(NamedTuple):
    """n cells as texts.

    Attributes:
        values: string[n], null where a cell is missing or unreadable.
        unreadable: bool[n]: the cell holds something whose text cannot be known.
    """

    values: pa.Array
    unreadable: Bool


def texts(cells: pa.Array, missing: Markers = frozenset()) -> Texts:
    """Return the trimmed texts of cells. A cell is missing if it is empty or one of `missing`."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(cells, missing)
    if isinstance(kind, pa.BaseExtensionType):
        return texts(_storage(cells), missing)
    if pa.types.is_run_end_encoded(kind):
        return texts(pc.run_end_decode(cells), missing)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _of_strings(cells.cast(pa.string()), missing)
    found, unreadable = _of_values(cells)
    return Texts(_without(found, missing), unreadable)


def canonical_text(text: str) -> str | None:
    """Return a trimmed text in the form that it has in any file format; None if it cannot be known.

    >>> canonical_text("17.00"), canonical_text("TRUE"), canonical_text("9.91214E+5")
    ('17', 'true', '991214')
    >>> canonical_text("9.91214E+15") is None, canonical_text("007"), canonical_text("1.10")
    (True, '007', '1.10')
    """
    if _LOST in text:
        return None
    if text.lower() in ("true", "false"):
        return text.lower()
    if whole := _WHOLE.fullmatch(text):
        return _exact(whole[1])
    if excel := _EXCEL_TEXT.fullmatch(text):
        return excel[1].strip()
    if _EXCEL_ERROR.fullmatch(text):
        return None
    scientific = _SCIENTIFIC.fullmatch(text)
    # 12E4 may be a hexadecimal id; programs write numbers as 1.2E5 or 12E+4.
    if scientific and (scientific[3] is not None or scientific[4]):
        return _expanded(scientific, text)
    return text


def without_dictionary(cells: pa.Array) -> pa.Array:
    """Return cells without dictionary encoding."""
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def trimmed(cells: pa.Array) -> pa.Array:
    """Return texts without spaces and invisible characters at their ends."""
    return pc.utf8_trim(cells, _SPACES + _WIDTHLESS)


def are_missing(values: pa.Array, missing: Markers) -> pa.Array:
    """Return bool[n]: which trimmed texts are empty or one of `missing`. Null is no text."""
    return pc.is_in(values, value_set=pa.array(["", *sorted(missing)], pa.string()))


def shows_all_digits(text: str) -> bool:
    """Return whether a number's text shows all digits before the decimal sign; 9.91E+15 does not.

    >>> shows_all_digits("9.91E+15"), shows_all_digits("9.91E+2"), shows_all_digits("12.5")
    (False, True, True)
    """
    found = _SCIENTIFIC.fullmatch(text)
    if found is None or found[4] == "-" or int(found[5]) == 0:
        return True
    return len(found[3] or "") >= int(found[5])


def markers(listed: list[str]) -> Markers:
    """Return the markers that a layout lists, in the form in which cells are read: 0.0 is 0."""
    plain = {text.strip() for text in listed}
    return frozenset(plain | {canonical_text(text) or text for text in plain}) - {""}


def _exact(digits: str) -> str | None:
    """The text of a whole number that was a float; None if it may have lost digits."""
    if len(digits) > _LONGEST_EXACT:  # Python reads no number of thousands of digits
        return None
    number = int(digits)
    return str(number) if abs(number) < 2**53 else None


def _expanded(found: re.Match[str], text: str) -> str | None:
    sign, whole, fraction, direction, power = found.groups()
    fraction = fraction or ""
    if direction == "-":
        return text
    if not shows_all_digits(text):
        return None
    places = int(power)
    number = (whole + fraction[:places]).lstrip("0") or "0"
    rest = fraction[places:].rstrip("0")
    return f"{sign}{number}.{rest}" if rest else _exact(sign + number)


def _of_dictionary(cells: Any, missing: Markers) -> Texts:
    known = texts(cells.dictionary, missing)
    places = cells.indices
    unreadable = pa.array(known.unreadable).take(places).fill_null(False)
    return Texts(known.values.take(places), unreadable.to_numpy(zero_copy_only=False))


def _storage(cells: Any) -> pa.Array:
    if cells.type.extension_name == "arrow.uuid":
        stored = cells.storage.to_pylist()
        return pa.array([None if v is None else str(uuid.UUID(bytes=v)) for v in stored])
    return cells.storage


def _of_strings(cells: pa.Array, missing: Markers) -> Texts:
    plain = _without(trimmed(cells), missing)
    unusual = pc.match_substring_regex(plain, _UNUSUAL)
    unreadable = np.zeros(len(plain), dtype=np.bool_)
    places = np.flatnonzero(unusual.fill_null(False).to_numpy(zero_copy_only=False))
    if not places.size:
        return Texts(plain, unreadable)
    some = [canonical_text(text) for text in plain.take(pa.array(places)).to_pylist()]
    unreadable[places] = [text is None for text in some]
    whole = plain.to_numpy(zero_copy_only=False).copy()
    whole[places] = some
    return Texts(_without(pa.array(whole, pa.string()), missing), unreadable)


def _without(values: pa.Array, missing: Markers) -> pa.Array:
    return pc.if_else(are_missing(values, missing), pa.scalar(None, pa.string()), values)


def _of_values(cells: pa.Array) -> tuple[pa.Array, Bool]:
    kind = cells.type
    none = np.zeros(len(cells), dtype=np.bool_)
    if pa.types.is_null(kind):
        return pa.nulls(len(cells), pa.string()), none
    if pa.types.is_boolean(kind):
        return pc.if_else(cells, "true", "false"), none
    if pa.types.is_integer(kind):
        return cells.cast(pa.string()), none
    if pa.types.is_floating(kind):
        return _of_floats(cells)
    if pa.types.is_decimal(kind):
        return pa.array([_decimal(v) for v in cells.to_pylist()], pa.string()), none
    if _is_binary(kind):
        return _of_bytes(cells)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return _of_times(cells)
    # Lists, structures and durations have no text.
    there = pc.is_valid(cells).to_numpy(zero_copy_only=False)
    return pa.nulls(len(cells), pa.string()), there


def _of_times(cells: pa.Array) -> tuple[pa.Array, Bool]:
    """Write times as ISO 8601. Those beyond the year 9999, or in an unknown zone, have no text."""
    try:
        found = [None if value is None else str(value) for value in cells.to_pylist()]
    except (OverflowError, ValueError):  # Arrow's errors are among them
        found = [_time(cell) for cell in cells]
    written = pa.array(found, pa.string())
    unreadable = pc.and_(pc.is_valid(cells), pc.is_null(written))
    return written, unreadable.to_numpy(zero_copy_only=False)


def _time(cell: Any) -> str | None:
    try:
        value = cell.as_py()
    except (OverflowError, ValueError):
        return None
    return None if value is None else str(value)


def _is_binary(kind: pa.DataType) -> bool:
    return any(
        (
            pa.types.is_binary(kind),
            pa.types.is_large_binary(kind),
            pa.types.is_fixed_size_binary(kind),
            pa.types.is_binary_view(kind),
        )
    )


def _of_floats(cells: pa.Array) -> tuple[pa.Array, Bool]:
    """Write whole numbers without decimals: programs turn ids beside empty cells into floats."""
    values = cells.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    absent = np.isnan(values)
    with np.errstate(invalid="ignore"):
        whole = values == np.floor(values)
        lost = ~absent & whole & (np.abs(values) >= _MOST_EXACT[str(cells.type)])
    digits = pa.array(np.where(whole & ~lost, values, 0).astype(np.int64)).cast(pa.string())
    found = pc.if_else(pa.array(whole), digits, _shortest(cells))
    return pc.if_else(pa.array(absent | lost), pa.scalar(None, pa.string()), found), lost


def _shortest(cells: pa.Array) -> pa.Array:
    """The shortest text that reads back as the same float: a float32 of 57.16 is `57.16`."""
    if pa.types.is_float16(cells.type):
        return cells.cast(pa.float32()).cast(pa.string())
    return cells.cast(pa.string())


def _decimal(value: Any) -> str | None:
    if value is None:
        return None
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _of_bytes(cells: pa.Array) -> tuple[pa.Array, Bool]:
    """Texts that a writer stored as bytes. Bytes that are not UTF-8 are unreadable."""
    stored = cells.to_pylist()
    found = [_decoded(v) for v in stored]
    undecoded = [v is not None and t is None for v, t in zip(stored, found, strict=True)]
    plain = texts(pa.array(found, pa.string()))
    return plain.values, plain.unreadable | np.array(undecoded, dtype=np.bool_)


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
