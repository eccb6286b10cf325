"""From window aggregates to the feature matrix: pure maths, the same code in training and serving.

Only element-wise float64 arithmetic on contiguous columns, so that a row comes out with the same
bits whatever batch it travels in.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.definitions import CATEGORY_BUCKETS, N_FEATURES, NAMES
from features.entities import CUSTOMER, ENTITIES, MERCHANT, Entity
from features.tiles import WindowAggregates
from features.windows import D30, DAY_MS, H24, HOUR_MS
from fraud.batch import Float32, Float64, Int64, TransactionBatch
from fraud.transaction import CHANNELS, TYPES

Columns = dict[str, Float64]

_PLACE = {name: j for j, name in enumerate(NAMES)}
_TYPE_CODE = {name: i for i, name in enumerate(TYPES)}
_CHANNEL_CODE = {name: i for i, name in enumerate(CHANNELS)}


def transform(batch: TransactionBatch, aggregates: dict[str, WindowAggregates]) -> Float32:
    """float32[n, N_FEATURES] in the order of `definitions.NAMES`, NaN where unknown.

    Args:
        batch: n transactions.
        aggregates: entity name -> what its state said before each transaction; an entity that no
            row names, or whose state nobody could read, may be left out.
    """
    amount = batch.amount_hundredths()
    values = np.full((len(batch), N_FEATURES), np.nan, dtype=np.float32)
    columns = _request(batch, amount)
    for entity in ENTITIES:
        seen = aggregates.get(entity.name)
        if seen is None:
            continue
        moments = _moments(seen)
        _fill_windows(values, entity, seen, moments)
        columns[f"{entity.name}_seconds_since_last"] = _since(seen.since_ms, 1000.0, seen.present)
        if entity in (CUSTOMER, MERCHANT):
            columns |= _relative(entity, seen, moments, amount)
    if (customer := aggregates.get("customer")) is not None:
        columns |= _novelty(batch, customer)
    for name, column in columns.items():
        values[:, _PLACE[name]] = column
    return values


def _request(batch: TransactionBatch, amount: Int64) -> Columns:
    at = np.array(batch.timestamp_ms, dtype=np.int64)
    units = amount / 100.0
    hour = (at % DAY_MS) / HOUR_MS
    weekday = (at // DAY_MS + 3) % 7  # 1970-01-01 was a Thursday
    return {
        "request_amount": units,
        "request_log_amount": np.log1p(units),
        "request_is_round_amount": (amount % 1000 == 0).astype(np.float64),
        "request_hour": hour,
        "request_weekday": weekday.astype(np.float64),
        "request_is_night": ((hour >= 23) | (hour < 6)).astype(np.float64),
        "request_is_weekend": (weekday >= 5).astype(np.float64),
        "request_type_code": _codes(batch.type, _TYPE_CODE),
        "request_channel_code": _codes(batch.channel, _CHANNEL_CODE),
        "request_category_code": _buckets(batch.merchant_category),
        "request_country_code": _buckets(batch.country),
        "request_currency_code": _buckets(batch.currency),
    }


def _codes(values: Sequence[str | None], code: dict[str, int]) -> Float64:
    return np.array(
        [np.nan if v is None else code.get(v, np.nan) for v in values], dtype=np.float64
    )


def _buckets(values: Sequence[str | None]) -> Float64:
    return np.array(
        [np.nan if v is None else zlib.crc32(v.encode()) % CATEGORY_BUCKETS for v in values],
        dtype=np.float64,
    )


def _fill_windows(
    values: Float32, entity: Entity, seen: WindowAggregates, moments: tuple[Float64, Float64]
) -> None:
    """Write the columns of every window of an entity: they are declared side by side."""
    n, w = seen.count.shape
    start = _PLACE[f"{entity.name}_count_{entity.windows[0].name}"]
    width = 4 + len(entity.tables)
    block = values[:, start : start + w * width].reshape(n, w, width)
    block[:, :, 0] = seen.count
    block[:, :, 1] = seen.total / 100.0
    block[:, :, 2], block[:, :, 3] = moments
    for i, table in enumerate(entity.tables):
        block[:, :, 4 + i] = seen.distinct[table.partner]
    block[~seen.present] = np.nan


def _moments(seen: WindowAggregates) -> tuple[Float64, Float64]:
    """float64[n, n_windows] each: mean and standard deviation (population) of amounts in currency
    units; NaN where fewer than one and two events, or where the entity is not there."""
    some = np.where(seen.count > 0, seen.count, np.nan)
    mean = seen.total / (some * 100.0)
    # Squares are rounded to hundredths each: what remains below that is not a deviation.
    variance = seen.squares / (some * 100.0) - mean * mean
    variance = np.where(variance < 0.01, 0.0, variance)
    return mean, np.where(seen.count > 1, np.sqrt(variance), np.nan)


def _since(elapsed: Int64, per_second: float, known: NDArray[np.bool_]) -> Float64:
    """Seconds; NaN where not known or never."""
    return np.where(known & (elapsed >= 0), elapsed / per_second, np.nan)


def _novelty(batch: TransactionBatch, seen: WindowAggregates) -> Columns:
    columns: Columns = {}
    for table in CUSTOMER.tables:
        one = table.column.removesuffix("_id")
        named = np.array([v is not None for v in getattr(batch, table.column)], dtype=np.bool_)
        known = named & seen.present
        since = seen.partner_since_s[table.partner]
        columns[f"customer_new_{one}"] = np.where(known, since < 0, np.nan)
        columns[f"customer_seconds_since_{one}"] = _since(since, 1.0, known)
    return columns


def _relative(
    entity: Entity, seen: WindowAggregates, moments: tuple[Float64, Float64], amount: Int64
) -> Columns:
    day, month = entity.windows.index(H24), entity.windows.index(D30)
    mean, std = moments[0][:, month], moments[1][:, month]
    units = amount / 100.0
    monthly = seen.count[:, month]
    daily = np.where(monthly > 0, monthly / (D30.span_ms / DAY_MS), np.nan)
    return {
        f"{entity.name}_amount_ratio_30d": units / np.where(mean > 0, mean, np.nan),
        f"{entity.name}_amount_zscore_30d": (units - mean) / np.where(std > 0, std, np.nan),
        f"{entity.name}_velocity_ratio_24h": seen.count[:, day] / daily,
    }
