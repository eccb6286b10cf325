"""Differences between two sides, followed over time with their confidence sequences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from experiments.statistics.confidence_sequence import (
    MIN_EFFECTIVE,
    UNSEEN,
    Track,
    bounded_mean,
    clt_mean,
    clt_radius,
    effective_number,
    evenly_spaced,
)
from experiments.statistics.losses import Loss, Measure
from fraud.payment.batch import Float64, Int64

LOOKS = 60
"""Looks of a track, for its picture. The last is what counts; none of the others weakens it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of one side less that of the other.

    Attributes:
        measure: what is measured.
        side, against: the measure of each.
        difference: side less against.
        low, high: the interval in which it lies; None where there is not enough to tell.
        method: `empirical_bernstein` (exact), `asymptotic`, or `bootstrap`.
        at_one_look: the interval holds at one look only; the others at every look.
        track: the difference at earlier looks; None for a bootstrap.
        at_ms: int64[k], when each look of the track was.
    """

    measure: Measure
    side: float | None
    against: float | None
    difference: float | None
    low: float | None
    high: float | None
    method: str
    at_one_look: bool = False
    track: Track | None = field(default=None, compare=False)
    at_ms: Int64 | None = field(default=None, compare=False)

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `open` as long as the interval holds both."""
        if self.low is None or self.high is None:
            return "open"
        if self.low > 0:
            return "better" if self.measure.better == "higher" else "worse"
        if self.high < 0:
            return "better" if self.measure.better == "lower" else "worse"
        return "open"


@dataclass(frozen=True, slots=True)
class Half:
    """One side of two that see different customers.

    Attributes:
        loss: of its n rows.
        customer: int64[n] codes from 0 on, in no order.
        at_ms: int64[n], when each row entered, never falling.
    """

    loss: Loss
    customer: Int64
    at_ms: Int64


def paired(side: Loss, against: Loss, at_ms: Int64) -> Difference:
    """Return the difference on the same n rows, in the order in which they became known.

    Args:
        at_ms: int64[n], when each did.
    """
    rows = np.flatnonzero(side.weight > 0)
    moved = side.value[rows] - against.value[rows]
    if not rows.size:
        return _difference(side, against, None, None)
    looks = evenly_spaced(rows.size, LOOKS)
    if side.measure.bounded:
        track, method = bounded_mean(moved, looks), "empirical_bernstein"
    else:
        track, method = clt_mean(moved, side.reach[rows], looks), "asymptotic"
    return _difference(side, against, track, at_ms[rows][looks - 1], method)


def by_customer(side: Half, against: Half) -> Difference:
    """Return the difference between two sides with different customers.

    A measure is a ratio of two sums over customers. Its variance is that of the customers'
    residuals, so that a customer with a hundred payments counts as one, and of what may still
    happen (`UNSEEN`). The sequence is the
    asymptotic one with independent customers as its time. It stays valid although a customer comes
    back: with every later payment of the same kind of customer the sums at two looks are correlated
    more strongly than sums of independent steps, and such a process leaves its boundary less often
    (Slepian's inequality).
    """
    times = np.sort(np.concatenate([side.at_ms, against.at_ms]))
    if not times.size:
        return _difference(side.loss, against.loss, None, None)
    looks = evenly_spaced(times.size, LOOKS)
    at_ms = times[looks - 1]
    one, other = _Running(side, at_ms), _Running(against, at_ms)
    estimate = one.mean - other.mean
    error = np.sqrt(one.variance + other.variance)
    with np.errstate(divide="ignore"):
        customers = 1 / (1 / one.customers + 1 / other.customers)
    enough = np.minimum(one.effective, other.effective) >= MIN_EFFECTIVE
    radius = np.where(enough, error * clt_radius(customers), np.nan)
    track = Track(one.rows + other.rows, estimate, estimate - radius, estimate + radius)
    return _difference(side.loss, against.loss, track, at_ms)


def at_one_look(
    measure: Measure, side: float, against: float, interval: tuple[float, float] | None
) -> Difference:
    """Return a difference whose interval comes from a bootstrap."""
    low, high = interval or (None, None)
    moved = _finite(side - against)
    return Difference(
        measure, _finite(side), _finite(against), moved, low, high, "bootstrap", at_one_look=True
    )


class _Running:
    """A ratio over customers at each of k looks.

    Attributes:
        rows: int64[k], rows seen.
        mean: float64[k], the ratio; NaN where no row counts.
        variance: float64[k], of the ratio.
        customers: float64[k], customers that move it.
        effective: float64[k], `effective_number` of them.
    """

    def __init__(self, half: Half, at_ms: Int64) -> None:
        k = at_ms.size
        self.rows = np.searchsorted(half.at_ms, at_ms, side="right")
        self.mean = np.full(k, np.nan)
        self.variance = np.full(k, np.nan)
        self.customers = np.zeros(k)
        self.effective = np.zeros(k)
        n = int(half.customer.max()) + 1 if half.customer.size else 0
        value, weight = np.zeros(n), np.zeros(n)
        reach = np.maximum.accumulate(half.loss.reach)
        start = 0
        for look, stop in enumerate(self.rows.tolist()):
            new = slice(start, stop)
            value += np.bincount(half.customer[new], half.loss.value[new], n)
            weight += np.bincount(half.customer[new], half.loss.weight[new], n)
            start = stop
            if stop:
                self._measure(look, value, weight, float(reach[stop - 1]))

    def _measure(self, look: int, value: Float64, weight: Float64, reach: float) -> None:
        total = weight.sum()
        if total <= 0:
            return
        mean = value.sum() / total
        residual = (value - mean * weight) / total
        moving = int((residual != 0).sum())
        square = residual**2
        second = square.sum(keepdims=True)
        self.mean[look] = mean
        unseen = UNSEEN * (reach / total) ** 2
        self.variance[look] = second[0] * moving / max(moving - 1, 1) + unseen
        self.customers[look] = moving
        self.effective[look] = effective_number(second, (square**2).sum(keepdims=True))[0]


def _difference(
    side: Loss,
    against: Loss,
    track: Track | None,
    at_ms: Int64 | None,
    method: str = "asymptotic",
) -> Difference:
    low = high = None
    if track is not None:
        low, high = _finite(track.low[-1]), _finite(track.high[-1])
    one, other = side.mean, against.mean
    return Difference(
        side.measure,
        _finite(one),
        _finite(other),
        _finite(one - other),
        low,
        high,
        method,
        track=track,
        at_ms=at_ms,
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
