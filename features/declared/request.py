"""Features of the request alone."""

from __future__ import annotations

from features.declaration import Family, Feature, Subject
from features.families import request, structuring
from features.state.structuring import REPORTING_THRESHOLD
from fraud.payment.transaction import CHANNELS, TYPES
from fraud.reasons.catalogue import AMOUNT, KIND_OF_PAYMENT, NEAR_THRESHOLD, TIME_OF_PAYMENT
from fraud.reasons.number_text import CLOCK, MONEY, WEEKDAY
from fraud.reasons.wording import OwnHistory, Wording


def numbers() -> Family:
    """Amount and time."""
    about = Subject("request", "request", "never")
    f = about.feature
    return about.computed_by(
        request.numbers,
        f(
            "amount",
            "amount in currency units",
            Wording(
                AMOUNT,
                "the amount is {value}",
                MONEY,
                of_payment="amount_minor",
                own=OwnHistory("customer", "customer_sum_amount_30d", "customer_count_30d"),
            ),
        ),
        f(
            "log_amount",
            "natural logarithm of 1 + amount",
            Wording(AMOUNT, "{value}", stated_by="request_amount"),
        ),
        f(
            "is_round_amount",
            "1 if the amount is a whole multiple of 10 units, else 0",
            Wording(AMOUNT, "the amount of {amount} is round: a whole multiple of 10"),
            dtype="bool",
        ),
        f(
            "hour",
            "hour of the day in UTC, 0 to 24, with its fraction",
            Wording(TIME_OF_PAYMENT, "the payment was made at {value} UTC", CLOCK),
        ),
        f(
            "weekday",
            "day of the week in UTC, Monday is 0",
            Wording(
                TIME_OF_PAYMENT, "the payment was made on a {value} in UTC", WEEKDAY, compares=False
            ),
            dtype="int",
        ),
        f(
            "is_night",
            "1 from 23:00 to 06:00 UTC, else 0",
            Wording(TIME_OF_PAYMENT, "the payment was made at night, from 23:00 to 06:00 UTC"),
            dtype="bool",
        ),
        f(
            "is_weekend",
            "1 on Saturday and Sunday in UTC, else 0",
            Wording(TIME_OF_PAYMENT, "the payment was made on a weekend in UTC"),
            dtype="bool",
        ),
    )


def codes() -> Family:
    """The kind of payment, as codes."""
    about = Subject("category", "request", "never")
    optional = Subject("category", "request", "the payment does not say")

    def f(
        subject: Subject, name: str, meaning: str, column: str, what: str, codes: int | None = None
    ) -> Feature:
        # Hashed words share codes: the share of payments with a code is not the share with a word.
        wording = Wording(
            KIND_OF_PAYMENT,
            f"the {what} is {{value}}",
            of_payment=column,
            compares=codes is not None,
        )
        cardinality = codes or request.CATEGORY_BUCKETS
        return subject.feature(
            f"{name}_code", meaning, wording, dtype="category", cardinality=cardinality
        )

    return about.computed_by(
        request.codes,
        f(about, "type", "kind of payment", "type", "type of payment", len(TYPES)),
        f(optional, "channel", "channel of the payment", "channel", "channel", len(CHANNELS)),
        f(
            optional,
            "category",
            "merchant category, hashed",
            "merchant_category",
            "merchant category",
        ),
        f(optional, "country", "country of the payment, hashed", "country", "country"),
        f(about, "currency", "currency, hashed", "currency", "currency"),
    )


def near_threshold() -> Family:
    """Whether the amount lies just under the reporting threshold."""
    about = Subject("structuring", "request", "never")
    return about.computed_by(
        structuring.request,
        about.feature(
            "is_near_threshold",
            "1 if the amount lies just under the reporting threshold, else 0",
            Wording(
                NEAR_THRESHOLD, f"the amount of {{amount}} lies just under {REPORTING_THRESHOLD}"
            ),
            dtype="bool",
        ),
    )
