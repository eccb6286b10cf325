"""Local time to UTC: the one place that knows of clocks that are put forward and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_QUARTER_MS = 900_000
# A reading of a clock on a wall: it has no zone.
_START = datetime(1970, 1, 1)  # noqa: DTZ001
_LIMIT_MS = 253_000_000_000_000
"""Near the end of the year 9987: datetimes go no further than 9999."""


class Utc(NamedTuple):
    """n readings of a clock on a wall in UTC.

    Attributes:
        at_ms: int64[n], milliseconds since 1970; 0 where it cannot be known.
        gap: bool[n]: the clock never showed this: it was put forward over it.
        fold: bool[n]: the clock showed this twice: it was put back.
    """

    at_ms: Int64
    gap: Bool
    fold: Bool


def to_utc(wall_ms: Int64, zone: str) -> Utc:
    """Readings of a clock on a wall (milliseconds since it showed 1970) of a time zone, in UTC."""
    never = np.zeros(len(wall_ms), dtype=np.bool_)
    if zone == "UTC":
        return Utc(wall_ms, never, never)
    # Clocks are put forward and back at quarters of an hour, by a quarter or more.
    quarters, place = np.unique(wall_ms // _QUARTER_MS, return_inverse=True)
    offsets = np.array([_offsets(q, ZoneInfo(zone)) for q in quarters.tolist()], dtype=np.int64)
    first, second = offsets.reshape(-1, 2)[place].T
    gap, fold = first < second, first > second
    return Utc(np.where(gap | fold, 0, wall_ms - first), gap, fold)


def day_begins(wall_ms: Int64, zone: str) -> Int64:
    """int64[n]: when the days of a time zone whose midnights are `wall_ms` begin, in UTC: where the
    clocks left midnight out or showed it twice, with the first hour that they showed."""
    if zone == "UTC":
        return wall_ms
    midnights, place = np.unique(wall_ms, return_inverse=True)
    place_of = ZoneInfo(zone)
    before = [_offsets(ms // _QUARTER_MS, place_of)[0] for ms in midnights.tolist()]
    begins: Int64 = wall_ms - np.array(before, dtype=np.int64)[place]
    return begins


def named(wall_ms: int, zone: str, name: str) -> int | None:
    """UTC of one reading that names the offset as its zone does (`CET`); None if that is no name
    of the zone at that time, or a name of both hours.

    >>> named(1729998000000, "Europe/Madrid", "CET") - named(1729998000000, "Europe/Madrid", "CEST")
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
    """Offsets of a wall's clock before and after what may be a change, milliseconds."""
    if abs(quarter * _QUARTER_MS) > _LIMIT_MS:
        return 0, 0
    wall = _START + timedelta(milliseconds=quarter * _QUARTER_MS)
    local = wall.replace(tzinfo=zone)
    return _ms(local.replace(fold=0)), _ms(local.replace(fold=1))


def _ms(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)
