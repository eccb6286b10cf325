"""Features of the request alone."""

from __future__ import annotations

import math
import zlib

import numpy as np

from features.families.rows import Rows
from features.state.windows import DAY_MS, HOUR_MS
from fraud.payment.batch import Float32
from fraud.payment.transaction import CHANNELS, TYPES

CATEGORY_BUCKETS = 64
"""Number of codes that categories, countries and currencies are hashed into."""

REMEMBERED = 4096
"""Number of words whose hashes are cached."""

_TYPE_CODE: dict[str | None, float] = {name: float(i) for i, name in enumerate(TYPES)}
_CHANNEL_CODE: dict[str | None, float] = {name: float(i) for i, name in enumerate(CHANNELS)}

_HOURS = np.array(
    [
        ((day + 3) % 7, hour == 23 or hour < 6, (day + 3) % 7 >= 5)  # 1970-01-01 was a Thursday
        for day in range(7)
        for hour in range(24)
    ],
    dtype=np.float32,
)
"""Weekday, night and weekend for each hour of a week, counted from the epoch."""


def numbers(out: Float32, rows: Rows) -> None:
    """7 columns: amount, log amount, round amount, hour, weekday, night, weekend."""
    out[:, 0] = rows.units
    out[:, 1] = np.log1p(rows.units)
    out[:, 2] = rows.hundredths % 1000 == 0
    out[:, 3] = (rows.at_ms % DAY_MS) / HOUR_MS
    out[:, 4:7] = _HOURS.take(rows.at_ms // HOUR_MS % len(_HOURS), axis=0)


def codes(out: Float32, rows: Rows) -> None:
    """5 columns: type, channel, merchant category, country, currency."""
    batch = rows.batch
    nan = math.nan
    out.T[:] = [
        [_TYPE_CODE.get(value, nan) for value in batch.type],
        [_CHANNEL_CODE.get(value, nan) for value in batch.channel],
        [_BUCKET[value] for value in batch.merchant_category],
        [_BUCKET[value] for value in batch.country],
        [_BUCKET[value] for value in batch.currency],
    ]


class _Buckets(dict[str | None, float]):
    """A cache of codes by word; NaN for None."""

    def __missing__(self, value: str | None) -> float:
        if len(self) >= REMEMBERED:
            self.clear()
        code = math.nan if value is None else float(zlib.crc32(value.encode()) % CATEGORY_BUCKETS)
        self[value] = code
        return code


_BUCKET = _Buckets()
