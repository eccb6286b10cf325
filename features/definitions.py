"""Every feature a model sees, declared once, in order. Hashed into the schema id.

A new feature is a declaration here and the function in `families/` that its family names: the
matrix (`transform.py`), the schema id, reasons and `docs/features.md` follow from these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial

from features.declaration import Family, Feature, Subject
from features.entities import COUNTERPARTY, CUSTOMER, ENTITIES, LAYOUT_ID, MERCHANT, Entity
from features.families import (
    flow,
    geo,
    habit,
    mix,
    recency,
    relative,
    request,
    risk,
    structuring,
    window,
)
from features.families.case import WINDOWS
from features.rings import CATEGORY_SLOTS
from features.windows import D7, D30, D60, H24
from fraud.transaction import CHANNELS, TYPES


def _unknown(entity: str) -> str:
    unnamed = "" if entity == "customer" else f"the payment names no {entity}, or "
    return f"{unnamed}its history could not be read"


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
    about = Subject("category", "request", "never")
    optional = Subject("category", "request", "the payment does not say")

    def f(who: Subject, name: str, meaning: str, codes: int = request.CATEGORY_BUCKETS) -> Feature:
        return who.feature(f"{name}_code", meaning, dtype="category", cardinality=codes)

    return about.computed_by(
        request.codes,
        f(about, "type", "kind of payment", len(TYPES)),
        f(optional, "channel", "channel of the payment", len(CHANNELS)),
        f(optional, "category", "merchant category, hashed"),
        f(optional, "country", "country of the payment, hashed"),
        f(about, "currency", "currency, hashed"),
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
            f(
                "std_amount",
                f"standard deviation of amounts {within}",
                w,
                missing="fewer than two payments in it",
            ),
        ]
        for partner, _, _ in entity.partners:
            meaning = f"number of distinct {partner} {within}"
            features.append(f(f"distinct_{partner}", meaning, w, dtype="int"))
    shortest = WINDOWS.index(entity.windows[0])
    shape = (shortest, len(entity.windows), len(entity.tables))
    return about.computed_by(partial(window.columns, *shape), *features)


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
    return Family(tuple(features), recency.partners, "customer")


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


def _habit() -> Family:
    about = Subject("habit", "customer", "too little history of the customer")
    f, largest = about.feature, "largest amount of this {entity} in the last {span}"
    return about.computed_by(
        habit.columns,
        *(f("max_amount", largest, w) for w in (D7, D30, D60)),
        *(f("amount_to_max", f"this amount divided by the {largest}", w) for w in (D30, D60)),
        f("amount_ratio", _RATIO, D60),
        f("amount_zscore", _ZSCORE, D60),
        f(
            "mean_trend",
            "mean amount of this {entity} in the last {span} divided by that of 60 days",
            D7,
        ),
        f("max_ratio", f"{largest} divided by its mean amount of 60 days", D7),
        f(
            "count_trend",
            "payments a day of this {entity} in the last {span} divided by those of 60 days",
            D7,
        ),
        f(
            "amount_to_trimmed",
            "this amount divided by the mean amount of this {entity} in the last {span} without "
            "the largest one",
            D60,
        ),
    )


def _risk(entity: Entity) -> Family:
    about = Subject("risk", entity.name, _unknown(entity.name))
    f, known = about.feature, "that became known in the last {span}"
    share = f"share of fraud among the labels of payments of this {{entity}} {known}"
    frauds = f"number of frauds of this {{entity}} {known}"
    none = "no fraud became known in 30 days"
    return about.computed_by(
        risk.columns,
        *(f("risk", share, w, missing="no label became known") for w in (H24, D7, D30)),
        *(f("frauds", frauds, w, dtype="int") for w in (D7, D30)),
        f("known", f"number of labels of payments of this {{entity}} {known}", D30, dtype="int"),
        f(
            "smoothed_risk",
            f"{share}, {risk.PRIOR_LABELS} labels added at a share of {risk.PRIOR_RATE}",
            D30,
        ),
        f(
            "seconds_since_fraud_known",
            "seconds since a fraud of this {entity} last became known, counted from the start of "
            "its hour, 6 hours or day",
            missing=none,
        ),
        f(
            "fraud_run_seconds",
            "seconds since the first of the current run of frauds of this {entity} became known, "
            "counted from the start of its day",
            missing=none,
        ),
        f(
            "fraud_amount_ratio",
            f"mean amount of frauds of this {{entity}} {known} divided by the mean amount of its "
            "payments in them",
            D30,
            missing=f"{none}, or no payment in the window",
        ),
    )


def _geo() -> Family:
    about = Subject("geo", "customer", "the payment or the history has no coordinates")
    f, last = about.feature, "from the last known position of this {entity}"
    return about.computed_by(
        geo.columns,
        f("km_from_last", f"kilometres {last}"),
        f("kmh_from_last", f"kilometres an hour {last}, over a minute at least"),
        f(
            "km_from_home",
            "kilometres from the mean position of this {entity} in 60 days",
            missing=f"fewer than {geo.HOME_POSITIONS} positions",
        ),
    )


def _near_request() -> Family:
    about = Subject("structuring", "request", "never")
    meaning = "1 if the amount lies just under the reporting threshold, else 0"
    return about.computed_by(
        structuring.request, about.feature("is_near_threshold", meaning, dtype="bool")
    )


_NEAR = "payments of this {entity} in the last {span} that were just under the reporting threshold"


def _near_counts(entity: Entity) -> Family:
    about = Subject("structuring", entity.name, _unknown(entity.name))
    counts = (
        about.feature("near_threshold", f"number of {_NEAR}", w, dtype="int") for w in (D7, D30)
    )
    return about.computed_by(structuring.counts, *counts)


def _near_share() -> Family:
    about = Subject("structuring", "customer", _unknown("customer"))
    none = "no payment in the window"
    return about.computed_by(
        structuring.share,
        about.feature("near_threshold_share", f"share of {_NEAR}", D30, missing=none),
    )


def _payer() -> Family:
    about = Subject("flow", "payer", _unknown("counterparty"))
    f, received = about.feature, "received by this {entity} in the last {span}"
    passed = (
        "this amount and the sum sent by this {entity} in the last {span}, divided by the sum it "
        "received"
    )
    nothing = "it received nothing in the window"
    return about.computed_by(
        flow.payer,
        *(f("inflow", f"sum {received}", w) for w in (H24, D7)),
        f("inflow_count", f"number of payments {received}", D7, dtype="int"),
        f(
            "fan_in",
            "distinct accounts that paid this {entity} in the last {span}",
            D7,
            dtype="int",
        ),
        f(
            "seconds_since_inflow",
            "seconds since this {entity} last received a payment",
            missing="none within 60 days",
        ),
        *(f("pass_through", passed, w, missing=nothing) for w in (H24, D7)),
        f(
            "seconds_since_round_trip",
            "seconds since this {entity} was last paid by the account that it pays now",
            missing="never within 60 days",
            dtype="int",
        ),
    )


def _payee() -> Family:
    about = Subject("flow", "payee", _unknown("counterparty"))
    f = about.feature
    return about.computed_by(
        flow.payee,
        f("outflow", "sum sent by this {entity} in the last {span}", H24),
        f(
            "fan_out",
            "distinct accounts that this {entity} paid in the last {span}",
            D7,
            dtype="int",
        ),
        f(
            "pass_through",
            "sum sent by this {entity} in the last {span} divided by the sum it received",
            H24,
            missing="it received nothing in the window",
        ),
    )


def _mix() -> Family:
    about = Subject("mix", "customer", "the payment names no category, or no history could be read")
    f, within = about.feature, "payments of this {entity} in the last {span}"
    return about.computed_by(
        mix.columns,
        f("category_count", f"number of {within} in this merchant category", D60, dtype="int"),
        f(
            "category_share",
            f"share of this merchant category among {within}",
            D60,
            missing="no payment in the window",
        ),
        f(
            "category_surprise",
            f"minus the natural logarithm of the share of this merchant category among {within}, "
            f"one more counted in each of {CATEGORY_SLOTS}",
            D60,
        ),
    )


FAMILIES: tuple[Family, ...] = (
    _numbers(),
    _codes(),
    *(_windows(entity) for entity in ENTITIES),
    *(_last(entity) for entity in ENTITIES),
    _partners(),
    *(_relative(entity) for entity in (CUSTOMER, MERCHANT)),
    _habit(),
    *(_risk(entity) for entity in ENTITIES),
    _geo(),
    _near_request(),
    *(_near_counts(entity) for entity in (CUSTOMER, COUNTERPARTY)),
    _near_share(),
    _payer(),
    _payee(),
    _mix(),
)
FEATURES: tuple[Feature, ...] = tuple(f for family in FAMILIES for f in family.features)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
N_FEATURES = len(FEATURES)
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.dtype == "category")
CARDINALITY: dict[str, int] = {f.name: f.cardinality for f in FEATURES if f.cardinality}


def schema_id_of(features: Sequence[Feature]) -> str:
    """Names `features`, their order and the state they are read from, in 12 hexadecimal digits."""
    document = json.dumps([LAYOUT_ID, [astuple(feature) for feature in features]])
    return hashlib.sha256(document.encode()).hexdigest()[:12]


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
