"""What the request says by itself."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from features.families.rows import Rows
from features.windows import DAY_MS, HOUR_MS
from fraud.batch import Float64
from fraud.transaction import CHANNELS, TYPES

CATEGORY_BUCKETS = 64
"""Free-form categories, countries and currencies are hashed into so many codes."""

_TYPE_CODE = {name: float(i) for i, name in enumerate(TYPES)}
_CHANNEL_CODE = {name: float(i) for i, name in enumerate(CHANNELS)}


def numbers(rows: Rows) -> Float64:
    """float64[n, 7]: amount, log amount, round amount, hour, weekday, night, weekend."""
    hour = (rows.at_ms % DAY_MS) / HOUR_MS
    weekday = (rows.at_ms // DAY_MS + 3) % 7  # 1970-01-01 was a Thursday
    block = np.empty((len(rows), 7))
    block[:, 0] = rows.units
    block[:, 1] = np.log1p(rows.units)
    block[:, 2] = rows.hundredths % 1000 == 0
    block[:, 3] = hour
    block[:, 4] = weekday
    block[:, 5] = (hour >= 23) | (hour < 6)
    block[:, 6] = weekday >= 5
    return block


def codes(rows: Rows) -> Float64:
    """float64[n, 5]: type, channel, merchant category, country, currency."""
    batch = rows.batch
    block = np.empty((len(rows), 5))
    block[:, 0] = _listed(batch.type, _TYPE_CODE)
    block[:, 1] = _listed(batch.channel, _CHANNEL_CODE)
    block[:, 2] = _hashed(batch.merchant_category)
    block[:, 3] = _hashed(batch.country)
    block[:, 4] = _hashed(batch.currency)
    return block


def _listed(values: Sequence[str | None], code: dict[str, float]) -> list[float]:
    return [np.nan if v is None else code.get(v, np.nan) for v in values]


def _hashed(values: Sequence[str | None]) -> list[float]:
    return [np.nan if v is None else _bucket(v) for v in values]


@lru_cache(maxsize=4096)
def _bucket(value: str) -> float:
    return float(zlib.crc32(value.encode()) % CATEGORY_BUCKETS)
