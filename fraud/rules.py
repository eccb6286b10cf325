"""What decides when no model answers: a few rules that an analyst can read.

Each rule that fires adds its points; 2 points challenge a payment, 4 send it to review. Rules never
block: without a model there is no evidence for that, and an outage must not stop every payment.
A rule whose features are unknown (NaN) does not fire, so that a payment about which nothing is
known is judged by its amount alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.combine.thresholds import APPROVE, CHALLENGE, REVIEW, Int8
from fraud.decision import Reason
from fraud.payment.batch import Float32, Float64, TransactionBatch
from fraud.plan import Thresholds
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
from fraud.reasons.number_text import TIMES, count_of, exact_money
from fraud.reasons.phrase import LEAST_FOR_DEVIATION, LEAST_FOR_MEAN

Bools = NDArray[np.bool_]

CHALLENGE_POINTS = 2
REVIEW_POINTS = 4
TIMES_THE_MEAN = 3
HIGH_AMOUNT_MINOR = 500_000
"""In minor units: 5,000 dollars, 500,000 yen. Minor units follow a currency's worth roughly, which
is near enough for a rule that only ever asks a human to look."""


class Columns:
    """Columns of a feature matrix by name.

    Args:
        values: float32[n, n_features].
        names: n_features names.
    """

    def __init__(self, batch: TransactionBatch, values: Float32, names: Sequence[str]) -> None:
        self.n = len(batch)
        self.currency = batch.currency
        self.amount_minor = np.array(batch.amount_minor, dtype=np.int64)
        self._values = values
        self._index = {name: j for j, name in enumerate(names)}

    def __getitem__(self, name: str) -> Float32:
        """float32[n]: a column; all NaN if there is no such feature."""
        j = self._index.get(name)
        if j is None:
            return np.full(self.n, np.nan, dtype=np.float32)
        return self._values[:, j]

    def at(self, name: str, i: int) -> float:
        """What a column says of row i."""
        return float(self[name][i])

    def counted(self, noun: str, name: str, i: int) -> str:
        """The same, as a count of something."""
        return count_of(noun).value(self.at(name, i), self.currency[i])

    def amount(self, i: int) -> str:
        """The amount of row i in its currency."""
        return exact_money(int(self.amount_minor[i]), self.currency[i])

    def high_amount(self, i: int) -> str:
        """The amount from which on it is high, in the currency of row i."""
        return exact_money(HIGH_AMOUNT_MINOR, self.currency[i])


Told = Callable[[Columns, int], str]
"""What a rule says of row i: the value, and where the rule begins."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        code: of the catalogue of reasons.
        points: what it adds.
        fires: the rows for which it fires.
        feature: what the sentence of a row is about.
        tells: the sentence of a row for which it fires.
    """

    code: str
    points: int
    fires: Callable[[Columns], Bools]
    feature: Callable[[Columns, int], str]
    tells: Told


def _far_above_usual(c: Columns) -> Bools:
    rests: Bools = c["customer_count_30d"] >= LEAST_FOR_DEVIATION
    return rests & (c["customer_amount_zscore_30d"] >= 4) & _far_above_mean(c)


def _far_above_mean(c: Columns) -> Bools:
    rests: Bools = c["customer_count_30d"] >= LEAST_FOR_MEAN
    found: Bools = rests & (c["customer_amount_ratio_30d"] >= TIMES_THE_MEAN)
    return found


def _tell_far_above_usual(c: Columns, i: int) -> str:
    return f"{c.amount(i)} is {_times_the_mean(c, i)}; the rule begins at {TIMES_THE_MEAN} times"


def _burst(c: Columns) -> Bools:
    return _burst_of_hour(c) | (
        (c["customer_count_24h"] >= 10) & (c["customer_velocity_ratio_24h"] >= 8)
    )


def _burst_of_hour(c: Columns) -> Bools:
    return np.greater_equal(c["customer_count_1h"], 10)


def _about_burst(c: Columns, i: int) -> str:
    return "customer_count_1h" if _burst_of_hour(c)[i] else "customer_count_24h"


def _tell_burst(c: Columns, i: int) -> str:
    if _burst_of_hour(c)[i]:
        payments = c.counted("payment", "customer_count_1h", i)
        return f"{payments} by this customer in the last hour; the rule begins at 10"
    times = TIMES.value(c.at("customer_velocity_ratio_24h", i), c.currency[i])
    payments = c.counted("payment", "customer_count_24h", i)
    return (
        f"{payments} by this customer in the last 24 hours, {times} the daily mean of 30 days;"
        " the rule begins at 10, and 8 times"
    )


def _new_device_high_amount(c: Columns) -> Bools:
    return _is_new(c, "customer_new_device") & _high_for_customer(c)


def _new_counterparty_high_amount(c: Columns) -> Bools:
    return _is_new(c, "customer_new_counterparty") & _high_for_customer(c)


def _is_new(c: Columns, name: str) -> Bools:
    # To a customer without a history everything is new.
    found: Bools = (c[name] == 1) & (c["customer_count_60d"] >= 1)
    return found


def _high_for_customer(c: Columns) -> Bools:
    return _far_above_mean(c) | _high_amount(c)


def _tell_new_device(c: Columns, i: int) -> str:
    return _tell_new(c, i, "from a device that this customer has not used")


def _tell_new_counterparty(c: Columns, i: int) -> str:
    return _tell_new(c, i, "to a counterparty that this customer has not paid")


def _tell_new(c: Columns, i: int, what: str) -> str:
    amount = c.amount(i)
    if _far_above_mean(c)[i]:
        amount += f", {_times_the_mean(c, i)},"
    return (
        f"{amount} {what} in the last 60 days; the rule begins at {TIMES_THE_MEAN} times,"
        f" or at {c.high_amount(i)}"
    )


def _times_the_mean(c: Columns, i: int) -> str:
    times = TIMES.value(c.at("customer_amount_ratio_30d", i), c.currency[i])
    return f"{times} the mean of payments by this customer in the last 30 days"


def _many_merchants(c: Columns) -> Bools:
    return np.greater_equal(c["customer_distinct_merchants_1h"], 6)


def _tell_many_merchants(c: Columns, i: int) -> str:
    merchants = c.counted("merchant", "customer_distinct_merchants_1h", i)
    return f"{merchants} paid by this customer in the last hour; the rule begins at 6"


def _shared_device(c: Columns) -> Bools:
    return np.greater_equal(c["device_distinct_customers_24h"], 5)


def _tell_shared_device(c: Columns, i: int) -> str:
    customers = c.counted("customer", "device_distinct_customers_24h", i)
    return f"{customers} used this device in the last 24 hours; the rule begins at 5"


def _high_amount(c: Columns) -> Bools:
    return c.amount_minor >= HIGH_AMOUNT_MINOR


def _tell_high_amount(c: Columns, i: int) -> str:
    return f"the amount is {c.amount(i)}; the rule begins at {c.high_amount(i)}"


def _about(feature: str) -> Callable[[Columns, int], str]:
    return lambda _c, _i: feature


RULES: tuple[Rule, ...] = (
    Rule(
        UNUSUAL_AMOUNT,
        2,
        _far_above_usual,
        _about("customer_amount_ratio_30d"),
        _tell_far_above_usual,
    ),
    Rule(CUSTOMER_VELOCITY, 2, _burst, _about_burst, _tell_burst),
    Rule(NEW_DEVICE, 2, _new_device_high_amount, _about("customer_new_device"), _tell_new_device),
    Rule(
        NEW_COUNTERPARTY,
        2,
        _new_counterparty_high_amount,
        _about("customer_new_counterparty"),
        _tell_new_counterparty,
    ),
    Rule(
        MANY_PARTNERS,
        2,
        _many_merchants,
        _about("customer_distinct_merchants_1h"),
        _tell_many_merchants,
    ),
    Rule(
        DEVICE_ACTIVITY,
        2,
        _shared_device,
        _about("device_distinct_customers_24h"),
        _tell_shared_device,
    ),
    Rule(AMOUNT, 2, _high_amount, _about("request_amount"), _tell_high_amount),
)
check_codes(rule.code for rule in RULES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say.

    Attributes:
        probability: float64[n] in [0, 1]: a stand-in inside the band of the outcome that the
            points ask for, so that the plan's thresholds lead to that outcome.
        reasons: for each row the rules that fired, most points first.
    """

    probability: Float64
    reasons: list[tuple[Reason, ...]]


def judge(
    thresholds: Thresholds, batch: TransactionBatch, values: Float32, names: Sequence[str]
) -> Verdict:
    """Apply every rule to every row.

    Args:
        thresholds: the plan's.
        batch: n transactions.
        values: float32[n, n_features], NaN where unknown.
        names: names of the features; a rule about one that is not there does not fire.
    """
    columns = Columns(batch, values, names)
    points = np.zeros(columns.n, dtype=np.int64)
    fired: list[list[Reason]] = [[] for _ in range(columns.n)]
    with np.errstate(invalid="ignore"):
        for rule in RULES:
            hits = rule.fires(columns)
            points += rule.points * hits
            for i in np.flatnonzero(hits).tolist():
                sentence = rule.tells(columns, i)
                fired[i].append(Reason(rule.code, rule.feature(columns, i), sentence, 0.0))
    return Verdict(_band(thresholds)[_level(points)], [tuple(reasons) for reasons in fired])


def _level(points: NDArray[np.int64]) -> Int8:
    level = np.full(len(points), APPROVE, dtype=np.int8)
    level[points >= CHALLENGE_POINTS] = CHALLENGE
    level[points >= REVIEW_POINTS] = REVIEW
    return level


def _band(t: Thresholds) -> Float64:
    """float64[3]: a probability in the middle of each outcome's band."""
    middles = (t.challenge / 2, (t.challenge + t.review) / 2, (t.review + t.block) / 2)
    return np.array(middles, dtype=np.float64)
