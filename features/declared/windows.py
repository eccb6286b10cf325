"""Activity of an entity over its windows, and the time since its last payment."""

from __future__ import annotations

from functools import partial

from features.declaration import Family, Feature, Subject
from features.declared.missing import unknown
from features.families import recency, window
from features.families.view import WINDOWS
from features.state.entities import Entity
from features.state.windows import D30, D60, H24, Window
from fraud.reasons.catalogue import (
    COUNTERPARTY_ACTIVITY,
    CUSTOMER_SPENDING,
    CUSTOMER_VELOCITY,
    DEVICE_ACTIVITY,
    MANY_PARTNERS,
    MERCHANT_ACTIVITY,
)
from fraud.reasons.number_text import DURATION, MONEY, count_of
from fraud.reasons.wording import LEAST_FOR_DEVIATION, LEAST_FOR_MEAN, OwnHistory, Wording

ACTIVITY_CODES = {
    "customer": CUSTOMER_VELOCITY,
    "merchant": MERCHANT_ACTIVITY,
    "device": DEVICE_ACTIVITY,
    "counterparty": COUNTERPARTY_ACTIVITY,
}
"""Entity -> reason code of the number of its payments."""
AMOUNT_CODES = {**ACTIVITY_CODES, "customer": CUSTOMER_SPENDING}
"""Entity -> reason code of the amounts of its payments."""
_PARTNERS = {**ACTIVITY_CODES, "customer": MANY_PARTNERS}

_MET = {
    "merchants": ("merchant", "{value} paid by this customer in the last {span}"),
    "devices": ("device", "{value} used by this customer in the last {span}"),
    "counterparties": ("counterparty", "{value} paid by this customer in the last {span}"),
}
_MET_BY = {
    "device": ("customer", "{value} used this device in the last {span}"),
    "counterparty": ("customer", "{value} paid this counterparty in the last {span}"),
}
LEAST_MONEY = 0.005
"""Half of a hundredth: sums consist of whole hundredths."""


def windows(entity: Entity) -> Family:
    """Counts, amounts and distinct partners over each window."""
    about = Subject("window", entity.name, unknown(entity.name))
    f, within = about.feature, "of this {entity} in the last {span}"
    features: list[Feature] = []
    for w in entity.windows:
        features += [
            f("count", f"number of payments {within}", _count(entity, w), w, dtype="int"),
            f("sum_amount", f"sum of amounts {within}", _sum(entity, w), w),
            f(
                "mean_amount",
                f"mean amount {within}",
                _mean(entity, w),
                w,
                missing="no payment in the window",
            ),
            f(
                "std_amount",
                f"standard deviation of amounts {within}",
                Wording(
                    AMOUNT_CODES[entity.name],
                    "amounts of payments {of} in the last {span} deviate by {value} from their"
                    " mean",
                    MONEY,
                    requires=(f"{{entity}}_count_{w.name}", LEAST_FOR_DEVIATION),
                ),
                w,
                missing="fewer than two payments in it",
            ),
        ]
        for partner, _, _ in entity.partners:
            meaning = f"number of distinct {partner} {within}"
            wording = _distinct(entity, partner)
            features.append(f(f"distinct_{partner}", meaning, wording, w, dtype="int"))
    shortest = WINDOWS.index(entity.windows[0])
    shape = (shortest, len(entity.windows), len(entity.tables))
    return about.computed_by(partial(window.columns, *shape), *features)


def last(entity: Entity) -> Family:
    """Time since the last payment."""
    about = Subject("recency", entity.name, f"no {entity.name}, or none within 60 days")
    return about.computed_by(
        recency.last,
        about.feature(
            "seconds_since_last",
            "seconds since the last payment of this {entity}",
            Wording(ACTIVITY_CODES[entity.name], "{value} since the last payment {of}", DURATION),
        ),
    )


def _count(entity: Entity, w: Window) -> Wording:
    phrase, unit = "{value} {of} in the last {span}", count_of("payment")
    own = _before(entity, w, "count")
    return Wording(ACTIVITY_CODES[entity.name], phrase, unit, least=1, own=own)


def _sum(entity: Entity, w: Window) -> Wording:
    phrase = "{value} in payments {of} in the last {span}"
    own = _before(entity, w, "sum_amount")
    return Wording(AMOUNT_CODES[entity.name], phrase, MONEY, least=LEAST_MONEY, own=own)


def _mean(entity: Entity, w: Window) -> Wording:
    own = _before(entity, w, "sum_amount", as_mean=True)
    return Wording(
        AMOUNT_CODES[entity.name],
        "payments {of} in the last {span} are of {value} on average",
        MONEY,
        requires=(f"{{entity}}_count_{w.name}", LEAST_FOR_MEAN),
        own=own,
    )


def _distinct(entity: Entity, partner: str) -> Wording:
    noun, phrase = _MET[partner] if entity.name == "customer" else _MET_BY[entity.name]
    return Wording(_PARTNERS[entity.name], phrase, count_of(noun), least=1)


def _before(entity: Entity, w: Window, what: str, as_mean: bool = False) -> OwnHistory | None:
    """The entity's earlier history to compare with: a longer window without this one; None if it
    keeps none. An hour is excluded with its day, which would be too similar to it."""
    long, recent = (D30, max(w, H24, key=lambda one: one.span_ms))
    if recent is D30:
        long = D60
    if recent is D60 or long not in entity.windows:
        return None
    return OwnHistory(
        "{entity}",
        f"{{entity}}_{what}_{long.name}",
        f"{{entity}}_count_{long.name}",
        f"{{entity}}_{what}_{recent.name}",
        f"{{entity}}_count_{recent.name}",
        None if as_mean else w.span_ms / (long.span_ms - recent.span_ms),
    )
