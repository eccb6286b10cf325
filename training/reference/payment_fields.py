"""The fields of payments as columns, and which of them each feature reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from features.declaration import Feature
from features.definitions import FEATURES
from fraud.payment.batch import Float64, TransactionBatch
from references.profile.column import ColumnKind, ColumnProfile
from references.profile.shape import common_shape

IDS = ("customer_id", "merchant_id", "counterparty_id", "device_id")
_TEXTS = ("currency", "type", "merchant_category", "country", "channel")
_DEGREES = ("latitude", "longitude")
REQUIRED = frozenset({"customer_id", "timestamp", "amount"})
"""Without these fields payments cannot be replayed."""

_SHAPED = 500
_ACCOUNTS = {"payer": ("customer_id", "counterparty_id"), "payee": ("counterparty_id",)}
_REQUEST = {
    "type_code": "type",
    "channel_code": "channel",
    "category_code": "merchant_category",
    "country_code": "country",
    "currency_code": "currency",
    "hour": "timestamp",
    "weekday": "timestamp",
    "is_night": "timestamp",
    "is_weekend": "timestamp",
}
"""Feature of the request alone -> its field; the others read the amount."""
_PARTNERS = ("merchant", "device", "counterparty", "customer")
_OF_AMOUNTS = ("amount", "inflow", "outflow", "pass_through", "max_ratio", "mean_trend", "near_")
_TIMES_OF_FLOWS = ("seconds", "count", "fan_")


def payment_columns(batch: TransactionBatch) -> dict[str, pa.Array]:
    """Canonical field -> values of n payments: texts, amounts in currency units, times."""
    columns = {
        "amount": pa.array(batch.amount_hundredths() / 100),
        "timestamp": pa.array(batch.timestamp_ms, pa.timestamp("ms", tz="UTC")),
    }
    for name in (*IDS, *_TEXTS):
        columns[name] = pa.array(getattr(batch, name), pa.string())
    for name in _DEGREES:
        columns[name] = pa.array(getattr(batch, name), pa.float64())
    return columns


def named_ids(
    profiles: Sequence[ColumnProfile], columns: Mapping[str, pa.Array]
) -> tuple[ColumnProfile, ...]:
    """The profiles, with ids as identifiers even if there are few of them: a profile names nobody.

    Args:
        columns: name -> values, as `payment_columns` gives them.
    """
    return tuple(_as_id(p, columns[p.name]) if p.name in IDS else p for p in profiles)


def _as_id(profile: ColumnProfile, cells: pa.Array) -> ColumnProfile:
    shape = common_shape(cells.drop_null()[:_SHAPED].to_pylist())
    return replace(
        profile,
        kind=ColumnKind.IDENTIFIER,
        pattern=shape,
        categories=(),
        quantiles=(),
        time_format="",
        mean=0.0,
        deviation=0.0,
        whole=False,
        scale="",
    )


def fields_read(feature: Feature) -> frozenset[str]:
    """The fields of payments from which a feature is made.

    >>> from features.definitions import FEATURES
    >>> named = {feature.name: feature for feature in FEATURES}
    >>> sorted(fields_read(named["customer_sum_amount_24h"]))
    ['amount', 'customer_id', 'timestamp']
    >>> sorted(fields_read(named["request_country_code"]))
    ['country']
    """
    if feature.entity is None:
        return frozenset({_REQUEST.get(feature.name.removeprefix("request_"), "amount")})
    plain = feature.name.removeprefix(f"{feature.entity}_")
    found = {"timestamp", *_ACCOUNTS.get(feature.entity, (f"{feature.entity}_id",))}
    if feature.family == "geo":
        found.update(_DEGREES)
    elif feature.family == "mix":
        found.add("merchant_category")
    elif feature.family in ("window", "novelty", "recency"):
        found.update(f"{one}_id" for one in _PARTNERS if one in plain or f"{one[:-1]}ies" in plain)
    counts = feature.family == "flow" and any(word in plain for word in _TIMES_OF_FLOWS)
    if not counts and any(word in plain for word in _OF_AMOUNTS):
        found.add("amount")
    return frozenset(found)


def importance_of_fields(importance: Float64) -> dict[str, float]:
    """Field of a payment -> its share of the importance of the features. A feature's importance is
    divided equally among the fields that it reads.

    Args:
        importance: float64[n_features] in the order of `features.definitions`, sums to 1.
    """
    shares: dict[str, float] = {}
    for feature, whole in zip(FEATURES, importance.tolist(), strict=True):
        fields = fields_read(feature)
        for field in fields:
            shares[field] = shares.get(field, 0.0) + whole / len(fields)
    return shares
