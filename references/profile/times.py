"""Columns that hold times: how they are written, and when they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.cells.time_format import iso, pattern_reader
from data.guess.column import Column
from data.guess.column_names import confidence, normalised
from data.guess.timestamp import count_unit
from fraud.payment.batch import Float64

ISO = "iso"
EPOCHS = {
    "seconds": "epoch_s",
    "milliseconds": "epoch_ms",
    "microseconds": "epoch_us",
    "nanoseconds": "epoch_ns",
}
_MOST_READ = 2_000
_SPAN_S = 15 * 365.25 * 86_400
"""Counts since 1970 under a name that says nothing are times if they lie within 15 years."""
_RISING = 0.95
_FITS = 0.98
_ISO_DAY = re.compile(r"(?:1[89]|20)[0-9]{2}-[01][0-9]-[0-3][0-9]")
_TIME_NAME, _SURE_NAME = 2, 4
_A_SECOND = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}


@dataclass(frozen=True, slots=True)
class TimesFound:
    """The times of a column.

    Attributes:
        format: see `ColumnProfile.time_format`.
        values: float64[m] of some cells: seconds since 1970 or, of a count, in its unit.
    """

    format: str
    values: Float64


def typed_times(cells: pa.Array) -> TimesFound | None:
    """The times of a column with a time type of Arrow; None for other types."""
    kind = cells.type
    known = cells.drop_null()
    if pa.types.is_time(kind):
        unit = pa.time64("us")
        ticks = known.cast(unit).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return TimesFound("%H:%M:%S", ticks / 1e6)
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return None
    whole = known.cast(pa.timestamp("ms", tz=getattr(kind, "tz", None)), safe=False)
    return TimesFound(ISO, whole.cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e3)


def written_times(column: Column) -> TimesFound | None:
    """The times of a column of texts, by a date pattern or a time of the day; None if it has none.

    Args:
        column: a sample of the cells.
    """
    days = _iso_days(column)
    if days is not None:
        return days
    patterns = column.patterns
    if patterns:
        return TimesFound(patterns[0] or ISO, _read(column, patterns[0], of_day=False))
    if column.is_number or not all(":" in text or "h" in text for text in column.values[:20]):
        return None
    pattern = column.time_pattern
    return None if pattern is None else TimesFound(pattern, _read(column, pattern, of_day=True))


def counted_times(column: Column, values: Float64) -> TimesFound | None:
    """The times of a column of whole numbers that count seconds, hours or days; None if it does
    not.

    Args:
        column: a sample of the cells.
        values: float64[m], their numbers, in the order of the table.
    """
    named = confidence("timestamp", column.name)
    unit = column.epoch_unit
    if unit is not None:
        narrow = float(np.ptp(values)) <= _SPAN_S * _A_SECOND[unit]
        return TimesFound(EPOCHS[unit], values) if named or narrow else None
    if named < _TIME_NAME or values.min() < 0 or len(np.unique(values)) < 3:
        return None
    rising = float(np.mean(np.diff(values) >= 0)) if len(values) > 1 else 0.0
    sure = named >= _SURE_NAME or normalised(column.name) == "step"
    if not sure and rising < _RISING:
        return None
    return TimesFound(count_unit(column), values)


def _iso_days(column: Column) -> TimesFound | None:
    """Days as YYYY-MM-DD, also long ago: payments are not, but dates of birth are."""
    texts = column.values
    shaped = sum(_ISO_DAY.fullmatch(text) is not None for text in texts)
    if not texts or shaped < _FITS * len(texts):
        return None
    found = _read(column, "", of_day=False)
    return TimesFound(ISO, found) if len(found) >= _FITS * len(column.cells) else None


def _read(column: Column, pattern: str, of_day: bool) -> Float64:
    read = pattern_reader(pattern, of_day) if pattern else iso
    readings = [read(text) for text in column.texts.values.drop_null()[:_MOST_READ].to_pylist()]
    found = [r.wall_ms - (r.offset_ms or 0) for r in readings if r is not None]
    return np.array(found, np.float64) / 1e3
