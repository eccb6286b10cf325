"""Every feature a model sees, declared once: name, order, meaning. Hashed into the schema id.

`transform.py` computes the columns; a test holds the two to the same names.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from features.entities import (
    COUNTERPARTY,
    CUSTOMER,
    DEVICE,
    ENTITIES,
    HEADER_BYTES,
    MERCHANT,
    Entity,
)
from features.windows import D30, H24, Window
from fraud.transaction import CHANNELS, TYPES

CATEGORY_BUCKETS = 64
"""Free-form categories, countries and currencies are hashed into so many codes."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the feature matrix.

    Attributes:
        name: `<entity>_<aggregate>_<window>`, or `request_<what>`.
        family: `window`, `recency`, `novelty`, `relative`, `request` or `category`.
        meaning: what it is, in its unit; the sentence that a reason shows.
        missing: when it is NaN.
        entity, window: what it looks at and how far back; None for what the request says.
        cardinality: number of codes 0 .. cardinality-1 of a `category`; 0 for numbers.
    """

    name: str
    family: str
    meaning: str
    missing: str
    entity: str | None = None
    window: str | None = None
    cardinality: int = 0


_SPAN = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "60d": "60 days"}


def _window_features(entity: Entity, window: Window) -> list[Feature]:
    def feature(aggregate: str, meaning: str, missing: str) -> Feature:
        return Feature(
            f"{entity.name}_{aggregate}_{window.name}",
            "window",
            f"{meaning} of this {entity.name} in the last {_SPAN[window.name]}",
            missing,
            entity.name,
            window.name,
        )

    unknown = f"the payment names no {entity.name}, or its history could not be read"
    return [
        feature("count", "number of payments", unknown),
        feature("sum_amount", "sum of amounts", unknown),
        feature("mean_amount", "mean amount", f"{unknown}, or no payment in the window"),
        feature("std_amount", "standard deviation of amounts", f"{unknown}, or fewer than two"),
        *(
            feature(f"distinct_{table.partner}", f"number of distinct {table.partner}", unknown)
            for table in entity.tables
        ),
    ]


def _recency_features(entity: Entity) -> list[Feature]:
    unknown = f"no {entity.name}, or none within 60 days"
    return [
        Feature(
            f"{entity.name}_seconds_since_last",
            "recency",
            f"seconds since the last payment of this {entity.name}",
            unknown,
            entity.name,
        )
    ]


def _novelty_features() -> list[Feature]:
    out = []
    for table in CUSTOMER.tables:
        one = table.column.removesuffix("_id")
        out += [
            Feature(
                f"customer_new_{one}",
                "novelty",
                f"1 if this customer has not met this {one} within 60 days, else 0",
                f"the payment names no {one}, or the history could not be read",
                "customer",
            ),
            Feature(
                f"customer_seconds_since_{one}",
                "recency",
                f"seconds since this customer last met this {one}",
                f"no {one}, or not met within 60 days",
                "customer",
            ),
        ]
    return out


def _relative_features(entity: Entity) -> list[Feature]:
    unknown = f"no {entity.name}, or too little history"
    return [
        Feature(
            f"{entity.name}_amount_ratio_30d",
            "relative",
            f"this amount divided by the mean amount of this {entity.name} in the last 30 days",
            unknown,
            entity.name,
            D30.name,
        ),
        Feature(
            f"{entity.name}_amount_zscore_30d",
            "relative",
            f"how many standard deviations this amount lies above the mean of this {entity.name} "
            "in the last 30 days",
            unknown,
            entity.name,
            D30.name,
        ),
        Feature(
            f"{entity.name}_velocity_ratio_24h",
            "relative",
            f"payments of this {entity.name} in the last 24 hours divided by its daily mean of "
            "30 days",
            unknown,
            entity.name,
            H24.name,
        ),
    ]


def _request(name: str, meaning: str, missing: str = "never") -> Feature:
    return Feature(f"request_{name}", "request", meaning, missing)


def _category(name: str, meaning: str, cardinality: int) -> Feature:
    return Feature(
        f"request_{name}_code",
        "category",
        meaning,
        "the payment does not say",
        cardinality=cardinality,
    )


FEATURES: tuple[Feature, ...] = (
    _request("amount", "amount in currency units"),
    _request("log_amount", "natural logarithm of 1 + amount"),
    _request("is_round_amount", "1 if the amount is a whole multiple of 10 units, else 0"),
    _request("hour", "hour of the day in UTC, 0 to 24, with its fraction"),
    _request("weekday", "day of the week in UTC, Monday is 0"),
    _request("is_night", "1 from 23:00 to 06:00 UTC, else 0"),
    _request("is_weekend", "1 on Saturday and Sunday in UTC, else 0"),
    _category("type", "kind of payment", len(TYPES)),
    _category("channel", "channel of the payment", len(CHANNELS)),
    _category("category", "merchant category, hashed", CATEGORY_BUCKETS),
    _category("country", "country of the payment, hashed", CATEGORY_BUCKETS),
    _category("currency", "currency, hashed", CATEGORY_BUCKETS),
    *(f for e in ENTITIES for w in e.windows for f in _window_features(e, w)),
    *(f for e in ENTITIES for f in _recency_features(e)),
    *_novelty_features(),
    *(f for e in (CUSTOMER, MERCHANT) for f in _relative_features(e)),
)

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
N_FEATURES = len(FEATURES)
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.family == "category")
CARDINALITY: dict[str, int] = {f.name: f.cardinality for f in FEATURES if f.cardinality}


def _layout() -> list[object]:
    return [
        [
            entity.name,
            entity.column,
            HEADER_BYTES,
            [[ring.tile_ms, ring.slots] for ring in entity.rings],
            [[table.partner, table.column, table.capacity] for table in entity.tables],
        ]
        for entity in (CUSTOMER, MERCHANT, DEVICE, COUNTERPARTY)
    ]


def _digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]


LAYOUT_ID = _digest(_layout())
"""Names the layout of state: states of another layout are never read."""

SCHEMA_ID = _digest([_layout(), [[f.name, f.meaning, f.cardinality] for f in FEATURES]])
"""Names the features and their order: a model trained on another schema is refused."""

_BY_NAME = {feature.name: feature for feature in FEATURES}


def reason_of(name: str) -> tuple[str, str]:
    """Reason code and sentence of a feature.

    >>> reason_of("customer_count_1h")
    ('CUSTOMER_COUNT_1H', 'number of payments of this customer in the last hour')

    Raises:
        KeyError: there is no such feature.
    """
    return name.upper(), _BY_NAME[name].meaning
