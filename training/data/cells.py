"""Cells of a file, of whatever Arrow type, as texts, numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.layout import WHOLE, AmountField, TimeField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# Beyond this an int64 of milliseconds overflows in sums; every such time is refused anyway.
_FAR_MS = 1e15


def texts(cells: pa.Array) -> pa.Array:
    """string[n]: trimmed, null where empty; whole floats without their fraction (3.0 -> "3")."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return texts(cells.dictionary_decode())
    if pa.types.is_boolean(kind):
        return pc.if_else(cells, "true", "false")
    if pa.types.is_integer(kind):
        return cells.cast(pa.string())
    if pa.types.is_floating(kind):
        return _float_texts(cells)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        trimmed = pc.utf8_trim_whitespace(cells.cast(pa.string()))
        trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
        return _without_fraction(trimmed)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        # Some writers do not mark their texts as such.
        plain = [None if v is None else v.decode(errors="replace") for v in cells.to_pylist()]
        return texts(pa.array(plain, pa.string()))
    return pa.array([None if v is None else str(v) for v in cells.to_pylist()], pa.string())


def numbers(cells: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """float64[n] and bool[n], which of them are finite numbers; the others are 0."""
    kind = cells.type
    if pa.types.is_integer(kind) or pa.types.is_float64(kind):
        found = cells.cast(pa.float64(), safe=False)
    else:
        # A float32 goes by way of its shortest text: 57.16 is meant, not 57.1599998.
        found = _parsed(texts(cells.dictionary_decode() if pa.types.is_dictionary(kind) else cells))
    values = found.fill_null(np.nan).to_numpy(zero_copy_only=False)
    finite = np.isfinite(values)
    return np.where(finite, values, 0.0), finite


def amounts(cells: pa.Array, field: AmountField) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The same of amounts, whose texts may hold signs that the layout says to ignore."""
    kind = cells.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if numeric or (not field.ignore and field.decimal == "."):
        return numbers(cells)
    plain = texts(cells)
    for sign in field.ignore:
        plain = pc.replace_substring(plain, sign, "")
    if field.decimal != ".":
        # A point that is left is none of the layout's: "1.5" must not pass for one and a half.
        strange = pc.match_substring(plain, ".")
        plain = pc.if_else(strange, "?", pc.replace_substring(plain, field.decimal, "."))
    return numbers(plain)


def times_ms(cells: pa.Array, field: TimeField) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """int64[n], milliseconds since 1970, and bool[n], which of them are times; the others are 0."""
    if field.unit_ms is not None:
        return _counted(cells, field)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return _arrow_times(cells, field.zone)
    zone = ZoneInfo(field.zone)
    found = [
        None if text is None else _text_ms(text, field.format, zone)
        for text in texts(cells).to_pylist()
    ]
    known = np.array([v is not None for v in found], dtype=np.bool_)
    return np.array([v or 0 for v in found], dtype=np.int64), known


def _counted(cells: pa.Array, field: TimeField) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    value, known = numbers(cells)
    at_ms = np.rint(value * (field.unit_ms or 1.0)) + field.base_ms
    known &= np.abs(at_ms) < _FAR_MS
    return np.where(known, at_ms, 0).astype(np.int64), known


def _arrow_times(cells: pa.Array, zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    known: NDArray[np.bool_] = pc.is_valid(cells).to_numpy(zero_copy_only=False)
    if getattr(cells.type, "tz", None) is None and zone != "UTC":
        cells = pc.assume_timezone(
            cells.cast(pa.timestamp("us"), safe=False),
            zone,
            ambiguous="earliest",
            nonexistent="latest",
        )
    whole = cells.cast(pa.timestamp("ms", tz=getattr(cells.type, "tz", None)), safe=False)
    at_ms = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    near = np.abs(at_ms.astype(np.float64)) < _FAR_MS
    return np.where(near, at_ms, 0), known & near


def _text_ms(text: str, pattern: str | None, zone: ZoneInfo) -> int | None:
    try:
        at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        return (at - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def _float_texts(cells: pa.Array) -> pa.Array:
    """Whole numbers as whole numbers: an id that a gap turned into a float is still its id."""
    values = cells.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = (values == np.floor(values)) & (np.abs(values) < 2.0**53)
    digits = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.string())
    found = pc.if_else(pa.array(whole), digits, cells.cast(pa.string()))
    return pc.if_else(pa.array(np.isnan(values)), pa.scalar(None, pa.string()), found)


def _without_fraction(values: pa.Array) -> pa.Array:
    """The same of texts: a CSV file of a column with gaps says 17.0 for 17."""
    if not pc.any(pc.ends_with(values, ".0")).as_py():
        return values
    return pc.replace_substring_regex(values, WHOLE, r"\1")


def _parsed(values: pa.Array) -> pa.Array:
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:
        return pa.array([_float(v) for v in values.to_pylist()], pa.float64())


def _float(text: str | None) -> float | None:
    # float() takes 1_000 and digits of other scripts: files that mean those are none of ours.
    try:
        return float(text) if text is not None and text.isascii() and "_" not in text else None
    except ValueError:
        return None
