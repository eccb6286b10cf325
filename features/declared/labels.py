"""Known frauds of an entity."""

from __future__ import annotations

from features.declaration import Family, Subject
from features.declared.missing import unknown
from features.families import risk
from features.state.entities import Entity
from features.state.windows import D7, D30, H24
from fraud.reasons.catalogue import (
    COUNTERPARTY_FRAUD,
    CUSTOMER_FRAUD,
    DEVICE_FRAUD,
    MERCHANT_FRAUD,
)
from fraud.reasons.number_text import DURATION, PERCENT, TIMES, count_of
from fraud.reasons.wording import Wording

_CODES = {
    "customer": CUSTOMER_FRAUD,
    "merchant": MERCHANT_FRAUD,
    "device": DEVICE_FRAUD,
    "counterparty": COUNTERPARTY_FRAUD,
}
_SOME = 1e-9


def frauds(entity: Entity) -> Family:
    """Shares, counts and times of known frauds."""
    about = Subject("risk", entity.name, unknown(entity.name))
    f, known = about.feature, "that became known in the last {span}"
    share = f"share of fraud among the labels of payments of this {{entity}} {known}"
    count = f"number of frauds of this {{entity}} {known}"
    none = "no fraud became known in 30 days"
    code = _CODES[entity.name]
    # Labels count against an entity only if a fraud is among them: without one, the smoothed share
    # is the prior.
    requires = ("{entity}_frauds_30d", 1.0)
    rate = Wording(
        code,
        f"{{value}} of the labels of payments {{of}} {known} are fraud",
        PERCENT,
        least=_SOME,
    )
    counted = Wording(code, f"{{value}} among payments {{of}} {known}", count_of("fraud"), least=1)
    return about.computed_by(
        risk.columns,
        *(f("risk", share, rate, w, missing="no label became known") for w in (H24, D7, D30)),
        *(f("frauds", count, counted, w, dtype="int") for w in (D7, D30)),
        f(
            "known",
            f"number of labels of payments of this {{entity}} {known}",
            Wording(code, "{value}", requires=requires, stated_by="{entity}_frauds_30d"),
            D30,
            dtype="int",
        ),
        f(
            "smoothed_risk",
            f"{share}, {risk.PRIOR_LABELS} labels added at a share of {risk.PRIOR_RATE}",
            Wording(code, "{value}", requires=requires, stated_by="{entity}_risk_30d"),
            D30,
        ),
        f(
            "seconds_since_fraud_known",
            "seconds since a fraud of this {entity} last became known, counted from the start of "
            "its hour, 6 hours or day",
            Wording(code, "{value} since a fraud among payments {of} last became known", DURATION),
            missing=none,
        ),
        f(
            "fraud_run_seconds",
            "seconds since the first of the current run of frauds of this {entity} became known, "
            "counted from the start of its day",
            Wording(
                code, "{value} since the current run of frauds among payments {of} began", DURATION
            ),
            missing=none,
        ),
        f(
            "fraud_amount_ratio",
            f"mean amount of frauds of this {{entity}} {known} divided by the mean amount of its "
            "payments in them",
            Wording(
                code,
                f"frauds among payments {{of}} {known} are {{value}} the mean payment",
                TIMES,
                requires=requires,
            ),
            D30,
            missing=f"{none}, or no payment in the window",
        ),
    )
