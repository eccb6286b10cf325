"""A payment compared with the history of its customer or merchant."""

from __future__ import annotations

from features.declaration import OF, Family, Feature, Subject
from features.declared.missing import unknown
from features.declared.windows import ACTIVITY_CODES, LEAST_MONEY
from features.families import geo, habit, mix, recency, relative, structuring
from features.state.entities import CUSTOMER, Entity
from features.state.rings import CATEGORY_SLOTS
from features.state.structuring import REPORTING_THRESHOLD
from features.state.windows import D7, D30, D60, H24, Window
from fraud.reasons.catalogue import (
    CUSTOMER_SPENDING,
    CUSTOMER_VELOCITY,
    LOCATION,
    NEAR_THRESHOLD,
    NEW_COUNTERPARTY,
    NEW_DEVICE,
    NEW_MERCHANT,
    UNUSUAL_AMOUNT,
    UNUSUAL_CATEGORY,
)
from fraud.reasons.number_text import DEVIATIONS, DURATION, KM, KMH, MONEY, PERCENT, TIMES, count_of
from fraud.reasons.wording import LEAST_FOR_DEVIATION, LEAST_FOR_MEAN, Wording

_NEW = {
    "merchant": (NEW_MERCHANT, "paid at this merchant"),
    "device": (NEW_DEVICE, "used this device"),
    "counterparty": (NEW_COUNTERPARTY, "paid this counterparty"),
}
_SOME = 1e-9
"""The smallest ratio that counts as more than zero."""
_AWAY = 0.1
"""The least distance (km) and speed (km/h) for a reason."""


def partners() -> Family:
    """Whether partners are new to the customer, and the time since they last met."""
    features: list[Feature] = []
    for _, column, _ in CUSTOMER.partners:
        one = column.removesuffix("_id")
        code, met = _NEW[one]
        new = Subject("novelty", "customer", unknown(one))
        since = Subject("recency", "customer", f"no {one}, or not met within 60 days")
        features += [
            new.feature(
                f"new_{one}",
                f"1 if this customer has not met this {one} within 60 days, else 0",
                # Every partner is new to a customer without a history.
                Wording(
                    code,
                    f"this customer has not {met} in the last 60 days",
                    requires=("customer_count_60d", 1),
                ),
                dtype="bool",
            ),
            since.feature(
                f"seconds_since_{one}",
                f"seconds since this customer last met this {one}",
                Wording(CUSTOMER_VELOCITY, f"{{value}} since this customer last {met}", DURATION),
                dtype="int",
            ),
        ]
    return Family(tuple(features), recency.partners, "customer")


_RATIO = "this amount divided by the mean amount of this {entity} in the last {span}"
_ZSCORE = (
    "how many standard deviations this amount lies above the mean of this {entity} in the last "
    "{span}"
)


def _ratio(about: Subject, w: Window) -> Feature:
    wording = Wording(
        UNUSUAL_AMOUNT,
        "the amount is {value} the mean of payments {of} in the last {span}",
        TIMES,
        requires=(f"{{entity}}_count_{w.name}", LEAST_FOR_MEAN),
    )
    return about.feature("amount_ratio", _RATIO, wording, w)


def _zscore(about: Subject, w: Window) -> Feature:
    wording = Wording(
        UNUSUAL_AMOUNT,
        "the amount is {value} from the mean of payments {of} in the last {span}",
        DEVIATIONS,
        requires=(f"{{entity}}_count_{w.name}", LEAST_FOR_DEVIATION),
    )
    return about.feature("amount_zscore", _ZSCORE, wording, w)


def relative_to(entity: Entity) -> Family:
    """The amount, and the frequency of payments, relative to the last 30 days."""
    about = Subject("relative", entity.name, f"no {entity.name}, or too little history")
    return about.computed_by(
        relative.columns,
        _ratio(about, D30),
        _zscore(about, D30),
        about.feature(
            "velocity_ratio",
            "payments of this {entity} in the last {span} divided by its daily mean of 30 days",
            Wording(
                ACTIVITY_CODES[entity.name],
                "payments {of} in the last {span} are {value} the daily mean of 30 days",
                TIMES,
                least=_SOME,
                requires=("{entity}_count_30d", LEAST_FOR_DEVIATION),
            ),
            H24,
        ),
    )


def habits() -> Family:
    """The amount, and the last week, relative to the largest and mean amounts of two months."""
    about = Subject("habit", "customer", "too little history of the customer")
    largest = "largest amount of this {entity} in the last {span}"
    return about.computed_by(
        habit.columns,
        *(_largest(about, largest, w) for w in (D7, D30, D60)),
        *(_to_largest(about, largest, w) for w in (D30, D60)),
        _ratio(about, D60),
        _zscore(about, D60),
        _trend(
            about,
            "mean_trend",
            "mean amount of this {entity} in the last {span} divided by that of 60 days",
            "the mean of payments {of} in the last {span} is {value} that of 60 days",
        ),
        _trend(
            about,
            "max_ratio",
            f"{largest} divided by its mean amount of 60 days",
            "the largest payment {of} in the last {span} is {value} the mean of 60 days",
        ),
        about.feature(
            "count_trend",
            "payments a day of this {entity} in the last {span} divided by those of 60 days",
            Wording(
                CUSTOMER_VELOCITY,
                "payments a day {of} in the last {span} are {value} those of 60 days",
                TIMES,
                least=_SOME,
                requires=("{entity}_count_60d", LEAST_FOR_DEVIATION),
            ),
            D7,
        ),
        about.feature(
            "amount_to_trimmed",
            "this amount divided by the mean amount of this {entity} in the last {span} without "
            "the largest one",
            Wording(
                UNUSUAL_AMOUNT,
                "the amount is {value} the mean of payments {of} in the last {span} without the"
                " largest",
                TIMES,
                requires=("{entity}_count_60d", LEAST_FOR_MEAN),
            ),
            D60,
        ),
    )


def _largest(about: Subject, meaning: str, w: Window) -> Feature:
    phrase = "the largest payment {of} in the last {span} is {value}"
    wording = Wording(CUSTOMER_SPENDING, phrase, MONEY, least=LEAST_MONEY)
    return about.feature("max_amount", meaning, wording, w)


def _to_largest(about: Subject, largest: str, w: Window) -> Feature:
    wording = Wording(
        UNUSUAL_AMOUNT,
        "the amount is {value} the largest payment {of} in the last {span}",
        TIMES,
        requires=(f"{{entity}}_count_{w.name}", LEAST_FOR_MEAN),
    )
    return about.feature("amount_to_max", f"this amount divided by the {largest}", wording, w)


def _trend(about: Subject, name: str, meaning: str, phrase: str) -> Feature:
    requires = ("{entity}_count_7d", LEAST_FOR_MEAN)
    return about.feature(
        name, meaning, Wording(CUSTOMER_SPENDING, phrase, TIMES, requires=requires), D7
    )


def places() -> Family:
    """Distance and speed from earlier positions of the customer."""
    about = Subject("geo", "customer", "the payment or the history has no coordinates")
    f, last = about.feature, "from the last known position of this {entity}"
    there = "from where this customer last paid"
    return about.computed_by(
        geo.columns,
        f("km_from_last", f"kilometres {last}", Wording(LOCATION, f"{{value}} {there}", KM, _AWAY)),
        f(
            "kmh_from_last",
            f"kilometres an hour {last}, over a minute at least",
            Wording(LOCATION, f"it takes {{value}} to get here {there}", KMH, least=_AWAY),
        ),
        f(
            "km_from_home",
            "kilometres from the mean position of this {entity} in 60 days",
            Wording(LOCATION, "{value} from the middle of where this customer pays", KM, _AWAY),
            missing=f"fewer than {geo.HOME_POSITIONS} positions",
        ),
    )


_NEAR = "payments of this {entity} in the last {span} that were just under the reporting threshold"
_JUST_UNDER = f"{{of}} in the last {{span}} just under {REPORTING_THRESHOLD}"


def near_counts(entity: Entity) -> Family:
    """Counts of amounts just under the reporting threshold."""
    about = Subject("structuring", entity.name, unknown(entity.name))
    wording = Wording(NEAR_THRESHOLD, "{value} " + _JUST_UNDER, count_of("payment"), least=1)
    counts = (
        about.feature("near_threshold", f"number of {_NEAR}", wording, w, dtype="int")
        for w in (D7, D30)
    )
    return about.computed_by(structuring.counts, *counts)


def near_share() -> Family:
    """The share of the customer's payments just under the reporting threshold."""
    about = Subject("structuring", "customer", unknown("customer"))
    wording = Wording(
        NEAR_THRESHOLD,
        f"{{value}} of payments {OF['customer']} in the last {{span}} were just under"
        f" {REPORTING_THRESHOLD}",
        PERCENT,
        least=_SOME,
        requires=("customer_count_30d", LEAST_FOR_MEAN),
    )
    none = "no payment in the window"
    return about.computed_by(
        structuring.share,
        about.feature("near_threshold_share", f"share of {_NEAR}", wording, D30, missing=none),
    )


def categories() -> Family:
    """The customer's payments in this merchant category."""
    about = Subject("mix", "customer", "the payment names no category, or no history could be read")
    f, within = about.feature, "payments of this {entity} in the last {span}"
    share = Wording(
        UNUSUAL_CATEGORY,
        "{value} of payments {of} in the last {span} were in this merchant category",
        PERCENT,
        requires=("customer_count_60d", LEAST_FOR_DEVIATION),
    )
    # All three measure how rare the category is; the share is the clearest.
    other = Wording(
        share.code,
        "{value}",
        requires=share.requires,
        stated_by="customer_category_share_60d",
    )
    return about.computed_by(
        mix.columns,
        f(
            "category_count",
            f"number of {within} in this merchant category",
            other,
            D60,
            dtype="int",
        ),
        f(
            "category_share",
            f"share of this merchant category among {within}",
            share,
            D60,
            missing="no payment in the window",
        ),
        f(
            "category_surprise",
            f"minus the natural logarithm of the share of this merchant category among {within}, "
            f"one more counted in each of {CATEGORY_SLOTS}",
            other,
            D60,
        ),
    )
