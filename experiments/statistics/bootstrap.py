"""Intervals for differences of average precision, which is no mean over rows.

Customers are drawn with replacement, whole, as in `training.metrics.bootstrap`. Such an interval
holds at one look only: it must not decide an experiment that is looked at every day.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from experiments.statistics.ranking import Ranking
from fraud.payment.batch import Float64, Int64

LEVEL = 0.95
RESAMPLES = 200
_ROW_DRAWS = 20_000_000
"""Of more than 100,000 rows fewer resamples are drawn, down to half: they take seconds."""
_USABLE = 0.8
"""The share of resamples in which the figure must exist."""


def paired_interval(
    one: Ranking, other: Ranking, customer: Int64, seed: int = 0
) -> tuple[float, float] | None:
    """Return the interval of `one` less `other` on the same n payments.

    Args:
        customer: int64[n], a number for each customer.
    """
    code = _codes(customer)

    def difference(weight: Float64) -> float:
        return one.average_precision(weight) - other.average_precision(weight)

    rng = np.random.default_rng(seed)
    return _interval(lambda: difference(_drawn(rng, code)), code.size)


def unpaired_interval(
    one: Ranking, other: Ranking, customer_of_one: Int64, customer_of_other: Int64, seed: int = 0
) -> tuple[float, float] | None:
    """Return the interval of `one` less `other`, each on payments of its own customers."""
    codes = _codes(customer_of_one), _codes(customer_of_other)
    rng = np.random.default_rng(seed)

    def difference() -> float:
        drawn = _drawn(rng, codes[0]), _drawn(rng, codes[1])
        return one.average_precision(drawn[0]) - other.average_precision(drawn[1])

    return _interval(difference, codes[0].size + codes[1].size)


def _codes(customer: Int64) -> Int64:
    return np.unique(customer, return_inverse=True)[1].astype(np.int64)


def _drawn(rng: np.random.Generator, code: Int64) -> Float64:
    """How often each payment occurs, when as many customers are drawn as there are."""
    customers = int(code.max()) + 1
    drawn = np.bincount(rng.integers(0, customers, customers), minlength=customers)
    return np.take(drawn.astype(np.float64), code)


def _interval(draw: Callable[[], float], rows: int) -> tuple[float, float] | None:
    resamples = int(np.clip(_ROW_DRAWS // rows, RESAMPLES // 2, RESAMPLES))
    moved = np.array([draw() for _ in range(resamples)])
    usable = moved[np.isfinite(moved)]
    if usable.size < _USABLE * resamples:
        return None
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
