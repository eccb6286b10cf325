"""The rules. An analyst can read each of them.

Each rule that fires adds its points; see `fraud.rules.rule_set`. A rule whose features are unknown
(NaN) does not fire, so a payment without any history is decided by its amount alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.reasons.catalogue import (
    AMOUNT,
    CUSTOMER_VELOCITY,
    DEVICE_ACTIVITY,
    MANY_PARTNERS,
    NEW_COUNTERPARTY,
    NEW_DEVICE,
    UNUSUAL_AMOUNT,
    check_codes,
)
from fraud.reasons.wording import LEAST_FOR_DEVIATION, LEAST_FOR_MEAN
from fraud.rules.columns import Columns, RuleFeature

Bools = NDArray[np.bool_]

TIMES_THE_MEAN = 3
HIGH_AMOUNT_MINOR = 500_000
"""In minor units: 5,000 dollars, 500,000 yen. Minor units follow a currency's worth roughly, which
is near enough for a rule that at most asks a human to look."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        code: one of `fraud.reasons.catalogue`.
        points: how many it adds.
        fires: bool[n], the rows for which it fires.
        describe: for a row i for which it fires, a feature and the sentence about it: its value,
            and where the rule begins.
    """

    code: str
    points: int
    fires: Callable[[Columns], Bools]
    describe: Callable[[Columns, int], tuple[RuleFeature, str]]


def _far_above_usual(c: Columns) -> Bools:
    enough: Bools = c[RuleFeature.COUNT_30D] >= LEAST_FOR_DEVIATION
    return enough & (c[RuleFeature.AMOUNT_ZSCORE_30D] >= 4) & _far_above_mean(c)


def _describe_far_above_usual(c: Columns, i: int) -> tuple[RuleFeature, str]:
    sentence = (
        f"{c.amount(i)} is {_times_the_mean(c, i)}; the rule begins at {TIMES_THE_MEAN} times"
    )
    return RuleFeature.AMOUNT_RATIO_30D, sentence


def _burst(c: Columns) -> Bools:
    return _burst_of_hour(c) | (
        (c[RuleFeature.COUNT_24H] >= 10) & (c[RuleFeature.VELOCITY_RATIO_24H] >= 8)
    )


def _burst_of_hour(c: Columns) -> Bools:
    return np.greater_equal(c[RuleFeature.COUNT_1H], 10)


def _describe_burst(c: Columns, i: int) -> tuple[RuleFeature, str]:
    if _burst_of_hour(c)[i]:
        payments = c.count("payment", RuleFeature.COUNT_1H, i)
        sentence = f"{payments} by this customer in the last hour; the rule begins at 10"
        return RuleFeature.COUNT_1H, sentence
    times = c.times(RuleFeature.VELOCITY_RATIO_24H, i)
    payments = c.count("payment", RuleFeature.COUNT_24H, i)
    return RuleFeature.COUNT_24H, (
        f"{payments} by this customer in the last 24 hours, {times} the daily mean of 30 days;"
        " the rule begins at 10, and 8 times"
    )


def _new_device(c: Columns) -> Bools:
    return _is_new(c, RuleFeature.NEW_DEVICE) & _high_for_customer(c)


def _describe_new_device(c: Columns, i: int) -> tuple[RuleFeature, str]:
    what = "from a device that this customer has not used"
    return RuleFeature.NEW_DEVICE, _new_sentence(c, i, what)


def _new_counterparty(c: Columns) -> Bools:
    return _is_new(c, RuleFeature.NEW_COUNTERPARTY) & _high_for_customer(c)


def _describe_new_counterparty(c: Columns, i: int) -> tuple[RuleFeature, str]:
    what = "to a counterparty that this customer has not paid"
    return RuleFeature.NEW_COUNTERPARTY, _new_sentence(c, i, what)


def _many_merchants(c: Columns) -> Bools:
    return np.greater_equal(c[RuleFeature.DISTINCT_MERCHANTS_1H], 6)


def _describe_many_merchants(c: Columns, i: int) -> tuple[RuleFeature, str]:
    merchants = c.count("merchant", RuleFeature.DISTINCT_MERCHANTS_1H, i)
    sentence = f"{merchants} paid by this customer in the last hour; the rule begins at 6"
    return RuleFeature.DISTINCT_MERCHANTS_1H, sentence


def _shared_device(c: Columns) -> Bools:
    return np.greater_equal(c[RuleFeature.DEVICE_CUSTOMERS_24H], 5)


def _describe_shared_device(c: Columns, i: int) -> tuple[RuleFeature, str]:
    customers = c.count("customer", RuleFeature.DEVICE_CUSTOMERS_24H, i)
    sentence = f"{customers} used this device in the last 24 hours; the rule begins at 5"
    return RuleFeature.DEVICE_CUSTOMERS_24H, sentence


def _high_amount(c: Columns) -> Bools:
    return c.amount_minor >= HIGH_AMOUNT_MINOR


def _describe_high_amount(c: Columns, i: int) -> tuple[RuleFeature, str]:
    begins_at = c.money(HIGH_AMOUNT_MINOR, i)
    return RuleFeature.AMOUNT, f"the amount is {c.amount(i)}; the rule begins at {begins_at}"


def _far_above_mean(c: Columns) -> Bools:
    enough: Bools = c[RuleFeature.COUNT_30D] >= LEAST_FOR_MEAN
    return enough & (c[RuleFeature.AMOUNT_RATIO_30D] >= TIMES_THE_MEAN)


def _times_the_mean(c: Columns, i: int) -> str:
    times = c.times(RuleFeature.AMOUNT_RATIO_30D, i)
    return f"{times} the mean of payments by this customer in the last 30 days"


def _high_for_customer(c: Columns) -> Bools:
    return _far_above_mean(c) | _high_amount(c)


def _is_new(c: Columns, feature: RuleFeature) -> Bools:
    # Everything is new to a customer without a history.
    return np.equal(c[feature], 1) & (c[RuleFeature.COUNT_60D] >= 1)


def _new_sentence(c: Columns, i: int, what: str) -> str:
    amount = c.amount(i)
    if _far_above_mean(c)[i]:
        amount += f", {_times_the_mean(c, i)},"
    return (
        f"{amount} {what} in the last 60 days; the rule begins at {TIMES_THE_MEAN} times,"
        f" or at {c.money(HIGH_AMOUNT_MINOR, i)}"
    )


RULES: tuple[Rule, ...] = (
    Rule(UNUSUAL_AMOUNT, 2, _far_above_usual, _describe_far_above_usual),
    Rule(CUSTOMER_VELOCITY, 2, _burst, _describe_burst),
    Rule(NEW_DEVICE, 2, _new_device, _describe_new_device),
    Rule(NEW_COUNTERPARTY, 2, _new_counterparty, _describe_new_counterparty),
    Rule(MANY_PARTNERS, 2, _many_merchants, _describe_many_merchants),
    Rule(DEVICE_ACTIVITY, 2, _shared_device, _describe_shared_device),
    Rule(AMOUNT, 2, _high_amount, _describe_high_amount),
)
check_codes(rule.code for rule in RULES)
