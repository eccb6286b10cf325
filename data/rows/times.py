"""Cells of a file, of whatever Arrow type, as moments: milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.joint import joint_texts
from data.cells.local_time import Bool, Int64, day_begins, named, to_utc
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import Markers, texts
from data.cells.time_format import DAY_MS, Reader, Reading, iso, iso_time, pattern_reader
from data.layout.fields import ClockField, TimeField

# Beyond this an int64 of milliseconds overflows in sums; every such time is refused anyway.
_FAR_MS = 1e15

Columns = Mapping[str, pa.Array]


class Moments(NamedTuple):
    """n cells as moments.

    Attributes:
        at_ms: int64[n], milliseconds since 1970; 0 where it is not known.
        known: bool[n].
        there: bool[n]: where the cells hold something.
        gap: bool[n]: a local time that the clock never showed; not known.
        fold: bool[n]: a local time that the clock showed twice; not known.
        lasts_ms: int64[n]: 23 to 25 hours where the cells name a day, or its midnight as programs
            do that keep days as times; 0 of a moment.
    """

    at_ms: Int64
    known: Bool
    there: Bool
    gap: Bool
    fold: Bool
    lasts_ms: Int64


class _Walls(NamedTuple):
    """n readings: UTC where `utc`, else what a clock on a wall showed; days where `is_day`."""

    ms: Int64
    utc: Bool
    known: Bool
    there: Bool
    is_day: Bool


def moments(columns: Columns, rows: Int64, field: TimeField) -> Moments:
    """Read the time of each row.

    Args:
        columns: of the file, those of the field among them; n values each.
        rows: int64[n], the place of each row, where that is the count.
    """
    if field.unit_ms is not None:
        return _counted(columns, rows, field)
    walls = _dates(columns, field)
    if field.clock is not None:
        walls = _with_clock(walls, columns, field.clock, field.missing)
    near = walls.known & (np.abs(walls.ms) < _FAR_MS)
    local = near & ~walls.utc
    at_ms = np.where(near & walls.utc, walls.ms, 0)
    gap, fold = np.zeros_like(near), np.zeros_like(near)
    if local.any():
        found = to_utc(walls.ms[local], field.zone)
        at_ms[local], gap[local], fold[local] = found
    days = local & walls.is_day
    at_ms[days] = day_begins(walls.ms[days], field.zone)
    gap, fold = gap & ~days, fold & ~days
    known = near & ~gap & ~fold
    return Moments(at_ms, known, walls.there, gap, fold, _lasting(walls, at_ms, known, field))


def after_payments(dated: Moments, known_ms: Int64, at_ms: Int64) -> tuple[Int64, Bool]:
    """When something about payments was known: never before they happened. A day means any moment
    of it.

    Args:
        dated: the cells that say when.
        known_ms: int64[n], what they come to, a delay included.
        at_ms: int64[n], the payments.

    Returns:
        int64[n], and bool[n]: what lies before its payment.
    """
    early = dated.known & (known_ms < at_ms)
    same_day = early & (at_ms - known_ms < dated.lasts_ms)
    return np.where(same_day, at_ms, known_ms), early & ~same_day


def _lasting(walls: _Walls, at_ms: Int64, known: Bool, field: TimeField) -> Int64:
    """int64[n]: how long what was read lasts, see `Moments`."""
    days = known & (walls.ms % DAY_MS == 0) & (field.clock is None)
    lasts = np.where(days, DAY_MS, 0)
    days &= ~walls.utc
    lasts[days] = day_begins(walls.ms[days] + DAY_MS, field.zone) - at_ms[days]
    return lasts


def _counted(columns: Columns, rows: Int64, field: TimeField) -> Moments:
    if field.columns:
        style = NumberStyle(missing=field.missing, exact=True)
        value, known, there, marks = numbers(columns[field.columns[0]], style)
        known = known & ~_marked(marks, len(known))
    else:
        value = rows.astype(np.float64)
        known = there = np.ones(len(rows), dtype=np.bool_)
    at_ms = np.rint(value * (field.unit_ms or 1.0)) + field.base_ms
    known = known & (np.abs(at_ms) < _FAR_MS)
    never, lasts = np.zeros(len(known), dtype=np.bool_), np.zeros(len(known), dtype=np.int64)
    return Moments(np.where(known, at_ms, 0).astype(np.int64), known, there, never, never, lasts)


def _marked(marks: Mapping[int, str], n: int) -> Bool:
    """bool[n]: a count of money is no count of time."""
    found = np.zeros(n, dtype=np.bool_)
    found[list(marks)] = True
    return found


def _dates(columns: Columns, field: TimeField) -> _Walls:
    if len(field.columns) == 1:
        cells = _plain(columns[field.columns[0]])
        if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
            return _of_arrow(cells)
    found = joint_texts([columns[c] for c in field.columns], " ", field.missing, unique=False)
    read = iso if field.format is None else pattern_reader(field.format)
    return _of_texts(found.values, found.wrong, read, field.zone)


def _plain(cells: pa.Array) -> pa.Array:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _of_arrow(cells: pa.Array) -> _Walls:
    there: Bool = pc.is_valid(cells).to_numpy(zero_copy_only=False)
    zone = getattr(cells.type, "tz", None)
    whole = cells.cast(pa.timestamp("ms", tz=zone), safe=False)
    ms = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    is_day = np.full(len(ms), pa.types.is_date(cells.type))
    return _Walls(ms, np.full(len(ms), zone is not None), there, there, is_day)


def _of_texts(values: pa.Array, wrong: Bool, read: Reader, zone: str) -> _Walls:
    readings = [None if text is None else read(text) for text in values.to_pylist()]
    there = pc.is_valid(values).to_numpy(zero_copy_only=False) | wrong
    pairs = [_placed(reading, zone) for reading in readings]
    ms = np.array([0 if pair is None else pair[0] for pair in pairs], dtype=np.int64)
    utc = np.array([pair is not None and pair[1] for pair in pairs], dtype=np.bool_)
    known = np.array([pair is not None for pair in pairs], dtype=np.bool_)
    is_day = np.array([r is not None and r.is_day for r in readings], dtype=np.bool_)
    return _Walls(ms, utc, known, there, is_day)


def _placed(reading: Reading | None, zone: str) -> tuple[int, bool] | None:
    """(milliseconds, whether they are of UTC) of a reading; None where nothing can be known."""
    if reading is None:
        return None
    if reading.offset_ms is not None:
        return reading.wall_ms - reading.offset_ms, True
    if reading.name is None:
        return reading.wall_ms, False
    # CST is a name of three offsets: a name counts where the zone itself goes by it.
    at_ms = named(reading.wall_ms, zone, reading.name.upper())
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


def _with_clock(days: _Walls, columns: Columns, clock: ClockField, missing: Markers) -> _Walls:
    """Days and the times of the day in a second column."""
    of_day, known, there = _clock(_plain(columns[clock.column]), clock, missing)
    midnight = days.ms % DAY_MS == 0
    known = known & days.known & midnight & ~days.utc & (of_day >= 0) & (of_day < DAY_MS)
    # Half of it is something that is there and tells no time.
    ms, moment = days.ms + np.where(known, of_day, 0), np.zeros_like(known)
    return _Walls(ms, days.utc, known, days.there | there, moment)


def _clock(cells: pa.Array, clock: ClockField, missing: Markers) -> tuple[Int64, Bool, Bool]:
    """int64[n] milliseconds since midnight, where they are known, where a cell is there."""
    if clock.unit_ms is not None:
        found = numbers(cells, NumberStyle(missing=missing, exact=True))
        ms = np.rint(found.value * clock.unit_ms)
        near = found.known & (np.abs(ms) < _FAR_MS) & ~_marked(found.marks, len(ms))
        return np.where(near, ms, -1).astype(np.int64), near, found.there
    if pa.types.is_time(cells.type):
        there = pc.is_valid(cells).to_numpy(zero_copy_only=False)
        ms = cells.cast(pa.time64("us"), safe=False).cast(pa.int64()).fill_null(0)
        return ms.to_numpy(zero_copy_only=False) // 1000, there, there
    read = iso_time if clock.format is None else pattern_reader(clock.format, True)
    if pa.types.is_timestamp(cells.type):
        walls = _of_arrow(cells)
        return _of_epoch_days(walls)
    plain = texts(cells, missing)
    readings = [None if text is None else read(text) for text in plain.values.to_pylist()]
    known = np.array([r is not None and r.offset_ms is None for r in readings], dtype=np.bool_)
    ms_of = np.array([0 if r is None else r.wall_ms for r in readings], dtype=np.int64)
    there = pc.is_valid(plain.values).to_numpy(zero_copy_only=False) | plain.wrong
    return ms_of, known, there


_NO_DAYS = np.array([-25569, -25568, -25567, 0]) * DAY_MS
"""Days that stand for none where a program keeps a time of the day as a date-time: 1899-12-30,
1899-12-31, 1900-01-01 and 1970-01-01."""


def _of_epoch_days(walls: _Walls) -> tuple[Int64, Bool, Bool]:
    day = walls.ms - walls.ms % DAY_MS
    known: NDArray[np.bool_] = walls.known & ~walls.utc & np.isin(day, _NO_DAYS)
    return walls.ms % DAY_MS, known, walls.there
