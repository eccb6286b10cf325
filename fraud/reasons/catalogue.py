"""Every reason code, declared once.

Each feature and each rule declares its code. Features that share a code are one reason. Give a new
feature one of these codes: clients act on codes, so the list stays short and meanings stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """A reason code.

    Attributes:
        code: stable, for machines.
        meaning: what it states about a payment, for the documentation.
    """

    code: str
    meaning: str


AMOUNT = "AMOUNT"
UNUSUAL_AMOUNT = "UNUSUAL_AMOUNT"
NEAR_THRESHOLD = "NEAR_THRESHOLD"
TIME_OF_PAYMENT = "TIME_OF_PAYMENT"
KIND_OF_PAYMENT = "KIND_OF_PAYMENT"
UNUSUAL_CATEGORY = "UNUSUAL_CATEGORY"
CUSTOMER_VELOCITY = "CUSTOMER_VELOCITY"
CUSTOMER_SPENDING = "CUSTOMER_SPENDING"
MANY_PARTNERS = "MANY_PARTNERS"
NEW_MERCHANT = "NEW_MERCHANT"
NEW_DEVICE = "NEW_DEVICE"
NEW_COUNTERPARTY = "NEW_COUNTERPARTY"
LOCATION = "LOCATION"
MERCHANT_ACTIVITY = "MERCHANT_ACTIVITY"
DEVICE_ACTIVITY = "DEVICE_ACTIVITY"
COUNTERPARTY_ACTIVITY = "COUNTERPARTY_ACTIVITY"
MONEY_FLOW = "MONEY_FLOW"
CUSTOMER_FRAUD = "CUSTOMER_FRAUD"
MERCHANT_FRAUD = "MERCHANT_FRAUD"
DEVICE_FRAUD = "DEVICE_FRAUD"
COUNTERPARTY_FRAUD = "COUNTERPARTY_FRAUD"
TABLE_COLUMN = "TABLE_COLUMN"
ANOMALY = "ANOMALY"
MODEL_SCORE = "MODEL_SCORE"

CATALOGUE: tuple[ReasonCode, ...] = (
    ReasonCode(AMOUNT, "the amount by itself"),
    ReasonCode(
        UNUSUAL_AMOUNT, "the amount beside what this customer or this merchant usually sees"
    ),
    ReasonCode(NEAR_THRESHOLD, "amounts just under the reporting threshold"),
    ReasonCode(TIME_OF_PAYMENT, "the time of day, or the day of the week, in UTC"),
    ReasonCode(KIND_OF_PAYMENT, "type, channel, merchant category, country or currency"),
    ReasonCode(UNUSUAL_CATEGORY, "a merchant category that is rare for this customer"),
    ReasonCode(CUSTOMER_VELOCITY, "how many payments the customer makes, and how fast"),
    ReasonCode(CUSTOMER_SPENDING, "how much the customer spends: sums, means, largest amounts"),
    ReasonCode(
        MANY_PARTNERS, "how many merchants, devices or counterparties the customer deals with"
    ),
    ReasonCode(NEW_MERCHANT, "the customer has not paid at the merchant before"),
    ReasonCode(NEW_DEVICE, "the customer has not used the device before"),
    ReasonCode(NEW_COUNTERPARTY, "the customer has not paid the counterparty before"),
    ReasonCode(LOCATION, "distance and speed from where the customer was, or usually is"),
    ReasonCode(MERCHANT_ACTIVITY, "payments at the merchant: how many, how fast, how large"),
    ReasonCode(DEVICE_ACTIVITY, "payments from the device, and how many customers share it"),
    ReasonCode(
        COUNTERPARTY_ACTIVITY, "payments to the counterparty, and how many customers make them"
    ),
    ReasonCode(MONEY_FLOW, "money that comes into an account and leaves it again"),
    ReasonCode(CUSTOMER_FRAUD, "frauds of the customer that are already known"),
    ReasonCode(MERCHANT_FRAUD, "frauds at the merchant that are already known"),
    ReasonCode(DEVICE_FRAUD, "frauds from the device that are already known"),
    ReasonCode(COUNTERPARTY_FRAUD, "frauds to the counterparty that are already known"),
    ReasonCode(TABLE_COLUMN, "a column of a table that models were trained on as it is"),
    ReasonCode(ANOMALY, "the payment as a whole is unlike others"),
    ReasonCode(MODEL_SCORE, "the probability of fraud by itself, where no single cause is known"),
)
CODES: tuple[str, ...] = tuple(entry.code for entry in CATALOGUE)
"""All codes, in the order of the documentation, which also orders equally strong reasons."""

RAISES = "raises"
DIRECTIONS = (RAISES,)
"""Effects of a reason on the risk. Contributions that lower it are subtracted within their code,
and never make a reason."""


def check_codes(codes: Iterable[str]) -> None:
    """Refuse codes that are not in the catalogue.

    Raises:
        ValueError: names the codes.

    >>> check_codes(["AMOUNT"])
    """
    unknown = sorted(set(codes) - set(CODES))
    if unknown:
        raise ValueError(f"unknown reason codes: {', '.join(unknown)}")
