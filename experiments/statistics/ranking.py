"""What a ranking of payments finds: the figures that serving can compute without scikit-learn.

They are defined like those of `training.metrics`, and tests compare them.
"""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64

BINS = 20
"""Bins of the calibration error, of equal numbers of rows."""


class Ranking:
    """n rows from the highest probability down. Rows of equal probability form one tie: within it
    figures are interpolated, so that the order of its rows does not matter.

    Args:
        probability: float64[n], finite; n >= 1.
        fraud: float64[n], 1 for fraud, else 0.
    """

    def __init__(self, probability: Float64, fraud: Float64) -> None:
        self.order = np.argsort(-probability, kind="stable")
        self._ranked = probability[self.order]
        last = np.append(self._ranked[1:] != self._ranked[:-1], True)
        self._ends = np.flatnonzero(last)
        self._frauds = np.flatnonzero(fraud[self.order] > 0)
        tie_of_fraud = np.searchsorted(self._ends, self._frauds)
        self._caught = np.cumsum(np.bincount(tie_of_fraud, minlength=self._ends.size))
        self._fraud_ties, self._tie = np.unique(tie_of_fraud, return_inverse=True)

    def average_precision(self, weight: Float64 | None = None) -> float:
        """The precision at each tie, weighted by the recall that it adds, without interpolation
        (as scikit-learn's `average_precision_score`); NaN without fraud.

        Args:
            weight: float64[n] >= 0 in the order of the arguments; None: 1 each.
        """
        ends = self._ends[self._fraud_ties]
        ranked = np.ones(self.order.size) if weight is None else np.take(weight, self.order)
        gained = np.bincount(self._tie, ranked[self._frauds], minlength=ends.size)
        reviewed = np.cumsum(ranked)[ends]
        caught = np.cumsum(gained)
        if not caught.size or caught[-1] <= 0:
            return float("nan")
        precision = np.divide(caught, reviewed, out=np.zeros_like(caught), where=reviewed > 0)
        return float(np.dot(gained, precision) / caught[-1])

    def recall_at(self, share: float) -> float:
        """The share of fraud in the `share` of rows of the highest probability; NaN without
        fraud."""
        if not self._frauds.size:
            return float("nan")
        reached = share * self.order.size
        return float(self._caught_by(np.array([reached]))[0] / self._frauds.size)

    def calibration(self, bins: int = BINS) -> tuple[Float64, Float64]:
        """The mean probability and the share of fraud in bins of equal numbers of rows, from the
        highest probability down: float64[bins] each. A tie across an edge is divided."""
        n = self.order.size
        edges = np.linspace(0.0, n, bins + 1)
        total = np.concatenate([[0.0], np.cumsum(self._ranked)])
        predicted = np.diff(np.interp(edges, np.arange(n + 1), total))
        return predicted * bins / n, np.diff(self._caught_by(edges)) * bins / n

    def calibration_error(self, bins: int = BINS) -> float:
        """The mean distance between predicted and observed share of fraud over `calibration`'s
        bins (Naeini, Cooper and Hauskrecht 2015)."""
        predicted, observed = self.calibration(bins)
        return float(np.abs(predicted - observed).mean())

    def _caught_by(self, reviewed: Float64) -> Float64:
        """Frauds in the first `reviewed` rows."""
        rows = np.concatenate([[0], self._ends + 1])
        found: Float64 = np.interp(reviewed, rows, np.concatenate([[0], self._caught]))
        return found
