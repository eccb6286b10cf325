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

from fraud.batch import Float32, Float64, TransactionBatch
from fraud.combine.thresholds import APPROVE, CHALLENGE, REVIEW, Int8
from fraud.decision import Reason
from fraud.plan import Thresholds

Bools = NDArray[np.bool_]

CHALLENGE_POINTS = 2
REVIEW_POINTS = 4
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
        self.amount_minor = np.array(batch.amount_minor, dtype=np.int64)
        self._values = values
        self._index = {name: j for j, name in enumerate(names)}

    def __getitem__(self, name: str) -> Float32:
        """float32[n]: a column; all NaN if there is no such feature."""
        j = self._index.get(name)
        if j is None:
            return np.full(self.n, np.nan, dtype=np.float32)
        return self._values[:, j]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: reason code, what it tells an analyst, points, and the rows for which it fires."""

    code: str
    detail: str
    points: int
    fires: Callable[[Columns], Bools]


def _far_above_usual(c: Columns) -> Bools:
    return (c["customer_amount_zscore_30d"] >= 4) & (c["customer_amount_ratio_30d"] >= 3)


def _burst(c: Columns) -> Bools:
    return (c["customer_count_1h"] >= 10) | (
        (c["customer_count_24h"] >= 10) & (c["customer_velocity_ratio_24h"] >= 8)
    )


def _new_device_high_amount(c: Columns) -> Bools:
    new: Bools = c["customer_new_device"] == 1
    return new & _high_for_customer(c)


def _new_counterparty_high_amount(c: Columns) -> Bools:
    new: Bools = c["customer_new_counterparty"] == 1
    return new & _high_for_customer(c)


def _high_for_customer(c: Columns) -> Bools:
    return (c["customer_amount_ratio_30d"] >= 3) | _high_amount(c)


def _many_merchants(c: Columns) -> Bools:
    return np.greater_equal(c["customer_distinct_merchants_1h"], 6)


def _shared_device(c: Columns) -> Bools:
    return np.greater_equal(c["device_distinct_customers_24h"], 5)


def _high_amount(c: Columns) -> Bools:
    return c.amount_minor >= HIGH_AMOUNT_MINOR


RULES: tuple[Rule, ...] = (
    Rule(
        "RULE_AMOUNT_FAR_ABOVE_USUAL",
        "the amount is far above what this customer usually pays",
        2,
        _far_above_usual,
    ),
    Rule("RULE_VELOCITY_BURST", "unusually many payments in a short time", 2, _burst),
    Rule(
        "RULE_NEW_DEVICE_HIGH_AMOUNT",
        "a high amount from a device that this customer has not used before",
        2,
        _new_device_high_amount,
    ),
    Rule(
        "RULE_NEW_COUNTERPARTY_HIGH_AMOUNT",
        "a high amount to a counterparty that this customer has not paid before",
        2,
        _new_counterparty_high_amount,
    ),
    Rule("RULE_MANY_MERCHANTS", "many different merchants within an hour", 2, _many_merchants),
    Rule("RULE_SHARED_DEVICE", "the device is used by many customers", 2, _shared_device),
    Rule("RULE_HIGH_AMOUNT", "the amount is high", 2, _high_amount),
)


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
            reason = Reason(rule.code, None, rule.detail, 0.0)
            for i in np.flatnonzero(hits).tolist():
                fired[i].append(reason)
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
