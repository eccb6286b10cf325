"""The figures of one set of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float64, Int64
from training.metrics.calibration import (
    BINS,
    CalibrationBins,
    bins_of_equal_fraud,
    calibration_bins,
)
from training.metrics.cards import CardDays
from training.metrics.cases import Cases, cases
from training.metrics.ranking import (
    Ranking,
    Steps,
    average_precision,
    recall_at_fpr,
    recall_at_review,
    roc_auc,
    share_within,
)

REVIEW_RATES = (0.005, 0.01, 0.02)
_DIGITS = 9
_FRAUDS_A_BIN = 10

#: Figures that depend only on the order of scores.
RANKED: dict[str, Callable[[Steps], float]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    **{f"recall_at_review_{r:g}": partial(recall_at_review, rate=r) for r in REVIEW_RATES},
    "recall_at_1pct_fpr": partial(recall_at_fpr, rate=0.01),
}


class Gauge:
    """All figures of n scores, for the rows as they are and for resamples of their clusters.

    Args:
        score: float64[n], higher is more suspicious; finite.
        of: the rows.
        probabilities: scores are probabilities, so that calibration can be measured.
    """

    def __init__(self, score: Float64, of: Cases, probabilities: bool = True) -> None:
        score = np.asarray(score, np.float64)
        self._ranking = Ranking(score, of.fraud)
        order, frauds = self._ranking.order, self._ranking.frauds
        self._cluster = of.cluster[order]
        self._lost = None if of.amount is None else of.amount[order][frauds]
        self._probability = score[order] if probabilities else None
        self._fraud = of.fraud[order]
        self._square = (score[order] - self._fraud) ** 2
        self._by_customer = of.cluster_of == "customer"
        self._n_clusters = of.n_clusters
        self._days = (
            None if of.customer is None else CardDays(score, of.fraud, of.customer, of.timestamp_ms)
        )

    def figures(self, copies: Float64 | None = None) -> dict[str, float]:
        """Every figure.

        Args:
            copies: float64[n_clusters], how often each cluster occurs; None: once.

        Returns:
            Those of `RANKED`; `card_precision_at_100` if there are customers;
            `value_caught_at_review_<rate>` if there are amounts; for probabilities `brier`,
            `calibration_error` and `said_over_seen`, the mean probability over the share of fraud.
            NaN if a resample holds no fraud, or only fraud.
        """
        return self.measure(copies)[0]

    def measure(self, copies: Float64 | None = None) -> tuple[dict[str, float], Float64 | None]:
        """`figures`, and for probabilities the signed weighted distance of each bin: float64[bins],
        whose absolute values add up to the calibration error."""
        if copies is None:
            copies = np.ones(self._n_clusters)
        weight = np.take(copies, self._cluster, mode="clip")  # twice as fast as indexing
        steps = self._ranking.steps(weight)
        figures = {name: figure(steps) for name, figure in RANKED.items()}
        if self._days is not None:
            # Resampled by time or by payment, customers are not multiplied.
            per_card = copies if self._by_customer else None
            figures["card_precision_at_100"] = self._days.precision(per_card)
        if self._lost is not None:
            lost = self._ranking.of_frauds(self._lost * weight[self._ranking.frauds])
            for rate in REVIEW_RATES:
                figures[f"value_caught_at_review_{rate:g}"] = share_within(steps, lost, rate)
        if self._probability is None:
            return figures, None
        bins = calibration_bins(self._probability, weight, steps)
        figures["brier"] = float((weight * self._square).sum() / weight.sum())
        figures["calibration_error"] = bins.error
        observed = float((weight * self._fraud).sum())
        predicted = float((weight * self._probability).sum())
        figures["said_over_seen"] = predicted / observed if observed > 0 else float("nan")
        return figures, bins.weight * (bins.predicted - bins.observed)

    def steps(self) -> Steps:
        """The fraud found by reviewing from the top down."""
        return self._ranking.steps()

    def calibration_bins(self) -> CalibrationBins | None:
        """Bins of equal expected fraud, fewer with little fraud; None for scores that are not
        probabilities."""
        if self._probability is None:
            return None
        bins = int(np.clip(self._ranking.frauds.size // _FRAUDS_A_BIN, 4, BINS))
        return bins_of_equal_fraud(self._probability, self._ranking.steps(), bins)


def evaluate(
    score: Float64,
    fraud: NDArray[np.generic],
    customer_id: Sequence[str | None] | None,
    timestamp_ms: Int64,
    probabilities: bool = True,
    amount: Float64 | None = None,
) -> dict[str, float]:
    """Figures of one variant on n rows, rounded to nine decimals: see `Gauge.figures`.

    Args:
        score: float64[n], higher is more suspicious.
        fraud: number[n], 1 for fraud, else 0; both occur.
        customer_id: n ids, the cards of card precision; None if payments name no customer.
        timestamp_ms: int64[n].
        probabilities: scores are probabilities, so that calibration can be measured.
        amount: float64[n] currency units, >= 0, for the value caught.
    """
    gauge = Gauge(score, cases(fraud, customer_id, timestamp_ms, amount), probabilities)
    return rounded(gauge.figures())


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Figures rounded as in reports."""
    return {name: round(value, _DIGITS) for name, value in figures.items()}
