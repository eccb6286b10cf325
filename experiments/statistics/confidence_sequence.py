"""Confidence sequences: intervals that hold at every look at once, however often somebody looks.

An ordinary 95 % interval holds at one look that was fixed beforehand. Who looks every day and stops
at the first day with a difference finds one sooner or later, even where there is none. The
intervals here all hold at once with a probability of at least `LEVEL`.

Every boundary is a mixture of exponential supermartingales. For weights that add up to 1,

    M(s, v) = sum of weight[k] * exp(rate[k] * s - psi(rate[k]) * v)

exceeds 1 / alpha at any time with a probability of at most alpha (Ville's inequality), where s is
the sum of differences less their means, and v is what their variance adds up to. Solved for s it
is the boundary (Howard, Ramdas, McAuliffe and Sekhon 2021, "Time-uniform, nonparametric,
nonasymptotic confidence sequences", Annals of Statistics 49, section 3.3).

- `bounded_mean`, for differences in [-1, 1]: their empirical Bernstein sequence (theorem 4), which
  is exact for every number of rows. It covers the mean of the differences that were to be expected
  of the rows seen. These need be neither equal nor independent.
- `clt_radius`, for differences without a bound, such as amounts, and for customers of two arms:
  the asymptotic sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform
  central limit theory and asymptotic confidence sequences", Annals of Statistics 52). It holds once
  there are enough rows for a normal approximation (`MIN_EFFECTIVE`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64, Int64

LEVEL = 0.95
MIN_EFFECTIVE = 3.0
"""The least effective number of differences (`effective_number`) for a normal approximation."""
UNSEEN = 4.0
"""So many rows of the largest possible difference are added to the variance: for what may happen
and has not yet. Without them a side that saves a little on many payments, and misses one large
fraud in a while, seems to be better until the first of these comes."""

_RATES = np.geomspace(1e-3, 0.9, 48)
"""They fit variances from about 10 to 10 million, in units of squared range or of one row."""
_PREDICTED = 0.25
"""Predicted differences are cut here: no mean difference of two models comes near."""
_SCALE = 1 + _PREDICTED
"""The furthest that a difference in [-1, 1] lies from its prediction."""
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Track:
    """A difference at each of k looks, with its confidence sequence.

    Attributes:
        rows: int64[k], the rows (or customers) seen by then, rising.
        estimate: float64[k], the difference measured by then.
        low, high: float64[k], the interval; NaN where there is not enough to give one.
    """

    rows: Int64
    estimate: Float64
    low: Float64
    high: Float64

    def __len__(self) -> int:
        return int(self.rows.size)


def bounded_mean(difference: Float64, looks: Int64, level: float = LEVEL) -> Track:
    """Return the mean of the first rows at each look, with its exact confidence sequence.

    Args:
        difference: float64[n] in [-1, 1], in the order in which the rows became known.
        looks: int64[k] in 1..n, rows seen at each look, rising.
        level: the probability that every interval holds, at all looks together.

    Raises:
        ValueError: a difference lies outside of [-1, 1].
    """
    if difference.size and not (np.abs(difference) <= 1).all():
        raise ValueError("differences must lie in [-1, 1]")
    total = np.cumsum(difference)
    seen = np.arange(1, difference.size + 1)
    # The mean of the rows before, drawn to 0 by one row of it.
    predicted = np.clip((total - difference) / seen, -_PREDICTED, _PREDICTED)
    variance = np.cumsum((difference - predicted) ** 2)
    at = looks - 1
    radius = _SCALE * _boundary(variance[at] / _SCALE**2, _exponential, _tail(level)) / looks
    estimate = total[at] / looks
    return Track(
        looks,
        estimate,
        np.maximum(estimate - radius, -1.0),
        np.minimum(estimate + radius, 1.0),
    )


def clt_mean(difference: Float64, reach: Float64, looks: Int64, level: float = LEVEL) -> Track:
    """Return the mean of the first rows at each look, with its asymptotic confidence sequence.

    Args:
        difference: float64[n], without a bound.
        reach: float64[n] >= 0, the largest difference that each row could have had.
        looks, level: see `bounded_mean`.
    """
    at = looks - 1
    second = np.cumsum(difference**2)[at]
    unseen = UNSEEN * np.maximum.accumulate(reach)[at] ** 2
    estimate = np.cumsum(difference)[at] / looks
    variance = np.maximum(second - looks * estimate**2, 0.0) + unseen
    effective = effective_number(second, np.cumsum(difference**4)[at])
    radius = np.sqrt(variance) / looks * clt_radius(np.cumsum(difference != 0)[at], level)
    radius = np.where(effective >= MIN_EFFECTIVE, radius, np.nan)
    return Track(looks, estimate, estimate - radius, estimate + radius)


def clt_radius(effective: Float64 | Int64, level: float = LEVEL) -> Float64:
    """Return by how many standard errors the asymptotic sequence reaches to each side: float64[k].

    Args:
        effective: [k], the number of independent differences behind each look, > 0.
    """
    time = np.maximum(np.asarray(effective, np.float64), 1.0)
    errors: Float64 = _boundary(time, _normal, _tail(level)) / np.sqrt(time)
    return errors


def effective_number(second: Float64, fourth: Float64) -> Float64:
    """Return how many equal differences would be as uneven as these: the squared sum of squares
    over the sum of fourth powers, float64[k]; 0 where all are 0. A single large one gives 1."""
    found: Float64 = np.divide(second**2, fourth, out=np.zeros_like(second), where=fourth > 0)
    return found


def evenly_spaced(n: int, looks: int) -> Int64:
    """Return at most `looks` numbers of rows, rising and evenly spaced; the last is n >= 1."""
    return np.unique(np.linspace(n / looks, n, looks).round().astype(np.int64).clip(1))


def _tail(level: float) -> float:
    """The logarithm that the mixture must exceed: each side errs half as often as allowed."""
    return float(np.log(2 / (1 - level)))


def _exponential(rate: Float64) -> Float64:
    spent: Float64 = -np.log1p(-rate) - rate
    return spent


def _normal(rate: Float64) -> Float64:
    return rate**2 / 2


def _boundary(variance: Float64, psi: Callable[[Float64], Float64], tail: float) -> Float64:
    """The sum at which the mixture reaches exp(tail), for each variance: float64[k]."""
    even = tail + np.log(_RATES.size)
    spent = psi(_RATES)[None, :] * variance[:, None]
    # One rate alone gives a boundary that the mixture improves on; so the answer lies below it.
    high = ((even + spent) / _RATES).min(axis=1)
    low = np.zeros_like(high)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        exponent = _RATES * middle[:, None] - spent
        top = exponent.max(axis=1)
        mixed = top + np.log(np.exp(exponent - top[:, None]).sum(axis=1))
        above = mixed >= even
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    reached: Float64 = high
    return reached
