"""Every feature a model sees, declared once, in order. Hashed into the schema id.

A new feature is a declaration here and the function in `families/` that its family names: the
matrix (`transform.py`), the schema id, reasons and `docs/features.md` follow from these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple

from features.declaration import Family, Feature, Subject
from features.entities import (
    COUNTERPARTY,
    CUSTOMER,
    DEVICE,
    HEADER_BYTES,
    MERCHANT,
    Entity,
)
from features.families import (
    recency,
    relative,
    request,
    window,
)
from features.windows import D30, H24
from fraud.transaction import CHANNELS, TYPES

_PARTIES = (CUSTOMER, MERCHANT, DEVICE, COUNTERPARTY)


def _unknown(entity: str) -> str:
    return f"the payment names no {entity}, or its history could not be read"


def _numbers() -> Family:
    about = Subject("request", "request", "never")
    f = about.feature
    return about.computed_by(
        request.numbers,
        f("amount", "amount in currency units"),
        f("log_amount", "natural logarithm of 1 + amount"),
        f(
            "is_round_amount",
            "1 if the amount is a whole multiple of 10 units, else 0",
            dtype="bool",
        ),
        f("hour", "hour of the day in UTC, 0 to 24, with its fraction"),
        f("weekday", "day of the week in UTC, Monday is 0", dtype="int"),
        f("is_night", "1 from 23:00 to 06:00 UTC, else 0", dtype="bool"),
        f("is_weekend", "1 on Saturday and Sunday in UTC, else 0", dtype="bool"),
    )


def _codes() -> Family:
    about = Subject("category", "request", "the payment does not say")

    def f(name: str, meaning: str, cardinality: int = request.CATEGORY_BUCKETS) -> Feature:
        return about.feature(f"{name}_code", meaning, dtype="category", cardinality=cardinality)

    return about.computed_by(
        request.codes,
        f("type", "kind of payment", len(TYPES)),
        f("channel", "channel of the payment", len(CHANNELS)),
        f("category", "merchant category, hashed"),
        f("country", "country of the payment, hashed"),
        f("currency", "currency, hashed"),
    )


def _windows(entity: Entity) -> Family:
    about = Subject("window", entity.name, _unknown(entity.name))
    f, within = about.feature, "of this {entity} in the last {span}"
    features: list[Feature] = []
    for w in entity.windows:
        features += [
            f("count", f"number of payments {within}", w, dtype="int"),
            f("sum_amount", f"sum of amounts {within}", w),
            f("mean_amount", f"mean amount {within}", w, missing="no payment in the window"),
            f("std_amount", f"standard deviation of amounts {within}", w, missing="fewer than two"),
        ]
        for partner, _, _ in entity.partners:
            meaning = f"number of distinct {partner} {within}"
            features.append(f(f"distinct_{partner}", meaning, w, dtype="int"))
    return about.computed_by(window.columns, *features)


def _last(entity: Entity) -> Family:
    about = Subject("recency", entity.name, f"no {entity.name}, or none within 60 days")
    return about.computed_by(
        recency.last,
        about.feature("seconds_since_last", "seconds since the last payment of this {entity}"),
    )


def _partners() -> Family:
    features: list[Feature] = []
    for _, column, _ in CUSTOMER.partners:
        one = column.removesuffix("_id")
        new = Subject("novelty", "customer", _unknown(one))
        since = Subject("recency", "customer", f"no {one}, or not met within 60 days")
        features += [
            new.feature(
                f"new_{one}",
                f"1 if this customer has not met this {one} within 60 days, else 0",
                dtype="bool",
            ),
            since.feature(
                f"seconds_since_{one}",
                f"seconds since this customer last met this {one}",
                dtype="int",
            ),
        ]
    return Family(tuple(features), recency.partners, ("customer",))


_RATIO = "this amount divided by the mean amount of this {entity} in the last {span}"
_ZSCORE = (
    "how many standard deviations this amount lies above the mean of this {entity} in the last "
    "{span}"
)


def _relative(entity: Entity) -> Family:
    about = Subject("relative", entity.name, f"no {entity.name}, or too little history")
    f = about.feature
    return about.computed_by(
        relative.columns,
        f("amount_ratio", _RATIO, D30),
        f("amount_zscore", _ZSCORE, D30),
        f(
            "velocity_ratio",
            "payments of this {entity} in the last {span} divided by its daily mean of 30 days",
            H24,
        ),
    )


FAMILIES: tuple[Family, ...] = (
    _numbers(),
    _codes(),
    *(_windows(entity) for entity in _PARTIES),
    *(_last(entity) for entity in _PARTIES),
    _partners(),
    *(_relative(entity) for entity in (CUSTOMER, MERCHANT)),
)
FEATURES: tuple[Feature, ...] = tuple(f for family in FAMILIES for f in family.features)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
N_FEATURES = len(FEATURES)
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.dtype == "category")
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
        for entity in _PARTIES
    ]


def _digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]


LAYOUT_ID = _digest(_layout())
"""Names the layout of state: states of another layout are never read."""


def schema_id_of(features: Sequence[Feature]) -> str:
    """Names `features`, their order and the state they are read from, in 12 hexadecimal digits."""
    return _digest([_layout(), [astuple(feature) for feature in features]])


SCHEMA_ID = schema_id_of(FEATURES)
"""The schema that is served: a model trained on another one is refused."""

_BY_NAME = {feature.name: feature for feature in FEATURES}


def reason_of(name: str) -> tuple[str, str]:
    """Reason code and sentence of a feature.

    >>> reason_of("customer_count_1h")
    ('CUSTOMER_COUNT_1H', 'number of payments of this customer in the last hour')

    Raises:
        KeyError: there is no such feature.
    """
    return name.upper(), _BY_NAME[name].meaning
