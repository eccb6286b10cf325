"""The fraud that a ranking of payments finds, at every depth and under any weighting of its rows.

Rows of equal score form one step, so that a model gains nothing from the order of rows that it
cannot distinguish: within a step figures are interpolated, which is their mean over all orders of
its rows. A run of rows without fraud is one step, too, as nothing is caught along it: there are
about two steps for each fraud, however many rows there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64, Int64


@dataclass(frozen=True, slots=True)
class Steps:
    """Cumulative weight from the highest score down, at the end of each of g steps.

    Attributes:
        reviewed: float64[g + 1] of all rows, from 0 to the whole weight, never falling.
        caught: float64[g + 1] of frauds, likewise.
    """

    reviewed: Float64
    caught: Float64


class Ranking:
    """n rows in the order of their scores.

    Args:
        score: float64[n], higher is more suspicious; finite; n >= 1.
        fraud: float64[n], 1 for fraud, else 0.

    Attributes:
        order: int64[n], rows from the highest score down.
        frauds: int64[n_frauds], the positions of frauds in `order`.
    """

    def __init__(self, score: Float64, fraud: Float64) -> None:
        self.order: Int64 = np.argsort(-score, kind="stable")
        self.frauds: Int64 = np.flatnonzero(fraud[self.order] > 0)
        ranked = score[self.order]
        tie = np.cumsum(np.concatenate([[False], ranked[1:] != ranked[:-1]]))
        with_fraud = np.zeros(int(tie[-1]) + 1, bool)
        with_fraud[tie[self.frauds]] = True
        # A step begins where a tie begins and it, or the one before it, holds fraud.
        begins = np.concatenate([[True], with_fraud[1:] | with_fraud[:-1]])
        step = (np.cumsum(begins) - 1)[tie]
        self._starts = np.flatnonzero(np.concatenate([[True], np.diff(step) > 0]))
        self._step_of_fraud = step[self.frauds]

    def steps(self, ranked: Float64 | None = None) -> Steps:
        """Steps of rows with weights float64[n] >= 0, in ranked order; None: 1 each."""
        if ranked is None:
            ranked = np.ones(self.order.size)
        reviewed = _from_zero(np.add.reduceat(ranked, self._starts))
        return Steps(reviewed, self.of_frauds(ranked[self.frauds]))

    def of_frauds(self, mass: Float64) -> Float64:
        """Sum of float64[n_frauds], in ranked order, to the end of each step: float64[g + 1]."""
        each = np.bincount(self._step_of_fraud, mass, minlength=self._starts.size)
        return _from_zero(each.astype(np.float64))


def _from_zero(each: Float64) -> Float64:
    total = np.empty(each.size + 1)
    total[0] = 0.0
    np.cumsum(each, out=total[1:])
    return total


def roc_auc(steps: Steps) -> float:
    """The probability that a fraud scores above a genuine row, ties counting half; NaN without
    both."""
    frauds = steps.caught[-1]
    false = steps.reviewed - steps.caught
    if frauds <= 0 or false[-1] <= 0:
        return float("nan")
    height = steps.caught[1:] + steps.caught[:-1]
    return float(np.dot(np.diff(false), height) / (2 * frauds * false[-1]))


def average_precision(steps: Steps) -> float:
    """The precision at each step, weighted by the recall that the step adds (without interpolation
    between steps, like scikit-learn's `average_precision_score`); NaN without fraud."""
    frauds = steps.caught[-1]
    if frauds <= 0:
        return float("nan")
    gained = np.diff(steps.caught)
    at = np.flatnonzero(gained)
    precision = steps.caught[at + 1] / steps.reviewed[at + 1]
    return float(np.dot(gained[at], precision) / frauds)


def recall_at_review(steps: Steps, rate: float) -> float:
    """The share of fraud found in the `rate` highest rows; NaN without fraud."""
    return _share(steps.reviewed, steps.caught, rate)


def recall_at_fpr(steps: Steps, rate: float) -> float:
    """The share of fraud found at a false positive rate of `rate`; NaN without both kinds."""
    return _share(steps.reviewed - steps.caught, steps.caught, rate)


def share_within(steps: Steps, mass: Float64, rate: float) -> float:
    """The share of `mass` (float64[g + 1], cumulative like the steps) in the `rate` highest
    rows."""
    return _share(steps.reviewed, mass, rate)


def _share(along: Float64, gained: Float64, rate: float) -> float:
    if gained[-1] <= 0 or along[-1] <= 0:
        return float("nan")
    return at(rate * along[-1], along, gained) / float(gained[-1])


def at(x: float, xs: Float64, ys: Float64) -> float:
    """`ys` at `x` on the polyline through (xs, ys), xs never falling; of several points at `x`
    the last, which is the highest."""
    right = int(np.searchsorted(xs, x, side="right"))
    if right >= xs.size:
        return float(ys[-1])
    left = right - 1
    return float(ys[left] + (ys[right] - ys[left]) * (x - xs[left]) / (xs[right] - xs[left]))


def precision_by_recall(score: Float64, fraud: Float64) -> Float64:
    """Precision at 1 %, 2 %, ... 100 % recall: float64[100].

    Args:
        score: float64[n], higher is more suspicious; finite; n >= 1.
        fraud: float64[n], 1 for fraud, else 0; both occur.

    >>> curve = precision_by_recall(np.array([0.9, 0.8, 0.7, 0.1]), np.array([1.0, 0.0, 1.0, 0.0]))
    >>> curve[49].round(3), curve[99].round(3)
    (np.float64(1.0), np.float64(0.667))
    """
    steps = Ranking(score, fraud).steps()
    found = np.arange(1, 101) / 100 * steps.caught[-1]
    # A hair less: where several depths find the same, the first of them counts.
    depth = np.interp(np.nextafter(found, 0), steps.caught, steps.reviewed)
    precision: Float64 = found / depth
    return precision
