"""Local time to UTC: the one place that handles daylight saving time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_QUARTER_MS = 900_000
# Wall-clock time has no zone.
_START = datetime(1970, 1, 1)  # noqa: DTZ001
_LIMIT_MS = 253_000_000_000_000
"""In the year 9987: a datetime ends with 9999."""


class Utc(NamedTuple):
    """n wall-clock times in UTC.

    Attributes:
        at_ms: int64[n], milliseconds since 1970; 0 in a gap or a fold.
        gap: bool[n]: clocks were put forward and skipped this time.
        fold: bool[n]: clocks were put back and showed this time twice.
    """

    at_ms: Int64
    gap: Bool
    fold: Bool


def to_utc(wall_ms: Int64, zone: str) -> Utc:
    """Convert wall-clock times (milliseconds since the clock showed 1970) of a zone to UTC."""
    never = np.zeros(len(wall_ms), dtype=np.bool_)
    if zone == "UTC":
        return Utc(wall_ms, never, never)
    # Clocks change at quarters of an hour, by a quarter or more.
    quarters, index = np.unique(wall_ms // _QUARTER_MS, return_inverse=True)
    offsets = np.array([_offsets(q, ZoneInfo(zone)) for q in quarters.tolist()], dtype=np.int64)
    first, second = offsets.reshape(-1, 2)[index].T
    gap, fold = first < second, first > second
    return Utc(np.where(gap | fold, 0, wall_ms - first), gap, fold)


def day_begins(wall_ms: Int64, zone: str) -> Int64:
    """int64[n]: when days begin in UTC.

    Where clocks skipped midnight, a day begins with the first hour that they showed; where they
    showed midnight twice, with the first of both.

    Args:
        wall_ms: int64[n], the midnights of the days on clocks of `zone`.
    """
    if zone == "UTC":
        return wall_ms
    midnights, index = np.unique(wall_ms, return_inverse=True)
    tz = ZoneInfo(zone)
    before = [_offsets(ms // _QUARTER_MS, tz)[0] for ms in midnights.tolist()]
    begins: Int64 = wall_ms - np.array(before, dtype=np.int64)[index]
    return begins


def named_offset_to_utc(wall_ms: int, zone: str, name: str) -> int | None:
    """Convert one wall-clock time that names its offset as the zone does (`CET`).

    Returns:
        Milliseconds since 1970; None if the zone has no such name at that time, or one for two
        offsets.

    >>> half_past_two = 1729996200000  # on 2024-10-27: clocks went from 3:00 CEST back to 2:00 CET
    >>> summer = named_offset_to_utc(half_past_two, "Europe/Madrid", "CEST")
    >>> named_offset_to_utc(half_past_two, "Europe/Madrid", "CET") - summer
    3600000
    """
    wall = _START + timedelta(milliseconds=wall_ms)
    found = set()
    for fold in (0, 1):
        local = wall.replace(tzinfo=ZoneInfo(zone), fold=fold)
        if local.tzname() == name:
            found.add(wall_ms - _ms(local))
    return found.pop() if len(found) == 1 else None


def _offsets(quarter: int, zone: ZoneInfo) -> tuple[int, int]:
    """Offsets of a wall clock before and after a possible change, in milliseconds."""
    if abs(quarter * _QUARTER_MS) > _LIMIT_MS:
        return 0, 0
    wall = _START + timedelta(milliseconds=quarter * _QUARTER_MS)
    local = wall.replace(tzinfo=zone)
    return _ms(local.replace(fold=0)), _ms(local.replace(fold=1))


def _ms(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)
