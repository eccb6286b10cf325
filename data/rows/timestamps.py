"""Cells of any Arrow type as times: milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.joined_text import joined_texts
from data.cells.local_time import Bool, Int64, day_begins, named_offset_to_utc, to_utc
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import Markers, texts, without_dictionary
from data.cells.time_format import DAY_MS, Reader, Reading, iso, iso_time, pattern_reader
from data.layout.fields import ClockField, TimeField

# Sums beyond this would overflow an int64. All such times are rejected anyway.
_FAR_MS = 1e15

Columns = Mapping[str, pa.Array]


class Timestamps(NamedTuple):
    """The times of n rows.

    Attributes:
        at_ms: int64[n], milliseconds since 1970; 0 where it is not known.
        known: bool[n].
        present: bool[n]: a cell is not empty.
        gap: bool[n]: a local time that the clocks skipped; not known.
        fold: bool[n]: a local time that the clocks showed twice; not known.
        lasts_ms: int64[n]: 23 to 25 hours where the cells hold a day, or midnight, which some
            programs write for a day; else 0.
    """

    at_ms: Int64
    known: Bool
    present: Bool
    gap: Bool
    fold: Bool
    lasts_ms: Int64


class _WallTimes(NamedTuple):
    """n times: UTC where `utc`, else local; days where `is_day`."""

    ms: Int64
    utc: Bool
    known: Bool
    present: Bool
    is_day: Bool


def read_timestamps(columns: Columns, rows: Int64, field: TimeField) -> Timestamps:
    """Read the time of each row.

    Args:
        columns: of the file, with those of the field; n values each.
        rows: int64[n], the number of each row, which may be the count.
    """
    if field.unit_ms is not None:
        return _counted(columns, rows, field)
    times = _dates(columns, field)
    if field.time is not None:
        times = _with_clock(times, columns, field.time, field.missing)
    near = times.known & (np.abs(times.ms) < _FAR_MS)
    local = near & ~times.utc
    at_ms = np.where(near & times.utc, times.ms, 0)
    gap, fold = np.zeros_like(near), np.zeros_like(near)
    if local.any():
        found = to_utc(times.ms[local], field.zone)
        at_ms[local], gap[local], fold[local] = found
    days = local & times.is_day
    at_ms[days] = day_begins(times.ms[days], field.zone)
    gap, fold = gap & ~days, fold & ~days
    known = near & ~gap & ~fold
    return Timestamps(at_ms, known, times.present, gap, fold, _lasting(times, at_ms, known, field))


def after_payments(dated: Timestamps, known_ms: Int64, at_ms: Int64) -> tuple[Int64, Bool]:
    """Check that labels were known after their payments.

    A cell that holds a day may mean any time of it: on the day of the payment, the label counts as
    known with the payment.

    Args:
        dated: the times in the cells.
        known_ms: int64[n], these times and the delay.
        at_ms: int64[n], the times of the payments.

    Returns:
        int64[n], the corrected `known_ms`, and bool[n]: whether it lies before the payment.
    """
    early = dated.known & (known_ms < at_ms)
    same_day = early & (at_ms - known_ms < dated.lasts_ms)
    return np.where(same_day, at_ms, known_ms), early & ~same_day


def _lasting(times: _WallTimes, at_ms: Int64, known: Bool, field: TimeField) -> Int64:
    """int64[n]: `Timestamps.lasts_ms`."""
    days = known & (times.ms % DAY_MS == 0) & (field.time is None)
    lasts = np.where(days, DAY_MS, 0)
    days &= ~times.utc
    lasts[days] = day_begins(times.ms[days] + DAY_MS, field.zone) - at_ms[days]
    return lasts


def _counted(columns: Columns, rows: Int64, field: TimeField) -> Timestamps:
    if field.columns:
        style = NumberStyle(missing=field.missing, exact=True)
        found = numbers(columns[field.columns[0]], style)
        # A number with a currency sign is not a count of time.
        value, known, present = found.value, found.known & ~found.marked, found.present
    else:
        value = rows.astype(np.float64)
        known = present = np.ones(len(rows), dtype=np.bool_)
    at_ms = np.rint(value * (field.unit_ms or 1.0)) + field.base_ms
    known = known & (np.abs(at_ms) < _FAR_MS)
    never, lasts = np.zeros(len(known), dtype=np.bool_), np.zeros(len(known), dtype=np.int64)
    return Timestamps(
        np.where(known, at_ms, 0).astype(np.int64), known, present, never, never, lasts
    )


def _dates(columns: Columns, field: TimeField) -> _WallTimes:
    day = field.day
    if len(day.columns) == 1:
        cells = without_dictionary(columns[day.columns[0]])
        if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
            return _of_arrow(cells)
    found = joined_texts([columns[c] for c in day.columns], " ", field.missing, unique=False)
    read = iso if day.format is None else pattern_reader(day.format)
    return _of_texts(found.values, found.unreadable, read, field.zone)


def _of_arrow(cells: pa.Array) -> _WallTimes:
    present: Bool = pc.is_valid(cells).to_numpy(zero_copy_only=False)
    zone = getattr(cells.type, "tz", None)
    whole = cells.cast(pa.timestamp("ms", tz=zone), safe=False)
    ms = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    is_day = np.full(len(ms), pa.types.is_date(cells.type))
    return _WallTimes(ms, np.full(len(ms), zone is not None), present, present, is_day)


def _of_texts(values: pa.Array, unreadable: Bool, read: Reader, zone: str) -> _WallTimes:
    readings = [None if text is None else read(text) for text in values.to_pylist()]
    present = pc.is_valid(values).to_numpy(zero_copy_only=False) | unreadable
    pairs = [_placed(reading, zone) for reading in readings]
    ms = np.array([0 if pair is None else pair[0] for pair in pairs], dtype=np.int64)
    utc = np.array([pair is not None and pair[1] for pair in pairs], dtype=np.bool_)
    known = np.array([pair is not None for pair in pairs], dtype=np.bool_)
    is_day = np.array([r is not None and r.is_day for r in readings], dtype=np.bool_)
    return _WallTimes(ms, utc, known, present, is_day)


def _placed(reading: Reading | None, zone: str) -> tuple[int, bool] | None:
    """Milliseconds of a reading, and whether they are UTC; None if they cannot be known."""
    if reading is None:
        return None
    if reading.offset_ms is not None:
        return reading.wall_ms - reading.offset_ms, True
    if reading.name is None:
        return reading.wall_ms, False
    # CST is the name of three offsets: a name counts only if the layout's zone uses it.
    at_ms = named_offset_to_utc(reading.wall_ms, zone, reading.name.upper())
    if at_ms is None and "/" in reading.name:
        at_ms = _of_place(reading.wall_ms, reading.name)
    return None if at_ms is None else (at_ms, True)


def _of_place(wall_ms: int, name: str) -> int | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    found = to_utc(np.array([wall_ms]), name)
    return None if found.gap[0] or found.fold[0] else int(found.at_ms[0])


def _with_clock(
    days: _WallTimes, columns: Columns, clock: ClockField, missing: Markers
) -> _WallTimes:
    """Add the times of the day of a second column to days."""
    of_day, known, clock_present = _clock(without_dictionary(columns[clock.column]), clock, missing)
    midnight = days.ms % DAY_MS == 0
    known = known & days.known & midnight & ~days.utc & (of_day >= 0) & (of_day < DAY_MS)
    # A day without a time, or a time without a day, is not empty but gives no time.
    ms, moment = days.ms + np.where(known, of_day, 0), np.zeros_like(known)
    return _WallTimes(ms, days.utc, known, days.present | clock_present, moment)


def _clock(cells: pa.Array, clock: ClockField, missing: Markers) -> tuple[Int64, Bool, Bool]:
    """int64[n] milliseconds since midnight; bool[n] where they are known, and not empty."""
    if clock.unit_ms is not None:
        found = numbers(cells, NumberStyle(missing=missing, exact=True))
        ms = np.rint(found.value * clock.unit_ms)
        near = found.known & (np.abs(ms) < _FAR_MS) & ~found.marked
        return np.where(near, ms, -1).astype(np.int64), near, found.present
    if pa.types.is_time(cells.type):
        present = pc.is_valid(cells).to_numpy(zero_copy_only=False)
        ms = cells.cast(pa.time64("us"), safe=False).cast(pa.int64()).fill_null(0)
        return ms.to_numpy(zero_copy_only=False) // 1000, present, present
    read = iso_time if clock.format is None else pattern_reader(clock.format, True)
    if pa.types.is_timestamp(cells.type):
        times = _of_arrow(cells)
        return _of_epoch_days(times)
    plain = texts(cells, missing)
    readings = [None if text is None else read(text) for text in plain.values.to_pylist()]
    known = np.array([r is not None and r.offset_ms is None for r in readings], dtype=np.bool_)
    ms_of = np.array([0 if r is None else r.wall_ms for r in readings], dtype=np.int64)
    present = pc.is_valid(plain.values).to_numpy(zero_copy_only=False) | plain.unreadable
    return ms_of, known, present


_NO_DAYS = np.array([-25569, -25568, -25567, 0]) * DAY_MS
"""Dates that programs use when they store a time of the day as a date-time: 1899-12-30, 1899-12-31,
1900-01-01 and 1970-01-01."""


def _of_epoch_days(times: _WallTimes) -> tuple[Int64, Bool, Bool]:
    day = times.ms - times.ms % DAY_MS
    known: NDArray[np.bool_] = times.known & ~times.utc & np.isin(day, _NO_DAYS)
    return times.ms % DAY_MS, known, times.present
