"""The ratio of predicted to observed fraud, overall and by bands of probability.

A calibration error is a mean distance between probabilities. At a fraud rate of 0.2 % a model that
predicts 40 % too little is off by 0.0008, which no limit on the error would catch. The ratio
catches it at any rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from fraud.payment.batch import Float64, Int64
from training.metrics.bootstrap import draws
from training.metrics.cases import renumbered

LEVEL = 0.95
BAND_LEVEL = 0.99
"""The level for bands: of several, one lies outside a 95 % interval by chance too often."""
EDGES = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0)
"""The bands are [0, 0.001), [0.001, 0.01) and so on."""
RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class ReliabilityBand:
    """The payments of one band, or all.

    Attributes:
        band: lowest and highest probability.
        rows: number of payments.
        predicted: mean probability.
        observed: share of fraud.
        frauds: number of frauds.
        ratio: predicted over observed; below 1 the model predicts too little; inf without fraud.
        low, high: the interval of the ratio; `high` is inf without fraud.
    """

    band: tuple[float, float]
    rows: int
    predicted: float
    observed: float
    frauds: int
    ratio: float
    low: float
    high: float

    def off(self, limit: float) -> bool:
        """Whether the ratio is off by more than a factor `limit` in either direction, and its
        interval excludes 1, so that chance is no explanation."""
        far = self.ratio > limit or self.ratio * limit < 1
        return far and not self.low <= 1 <= self.high

    def sentence(self) -> str:
        """The figures in words."""
        where = (
            "" if self.band == (EDGES[0], EDGES[-1]) else f"{self.band[0]:g} to {self.band[1]:g}: "
        )
        return (
            f"{where}predicted {self.predicted:.3%}, observed {self.observed:.3%} ({self.frauds:,}"
            f" frauds in {self.rows:,}): ratio {_times(self.ratio)} [{_times(self.low)},"
            f" {_times(self.high)}]"
        )

    def document(self) -> dict[str, object]:
        """JSON-ready; None for an infinite ratio."""
        finite = {
            name: round(value, 6) if np.isfinite(value) else None
            for name, value in (("ratio", self.ratio), ("low", self.low), ("high", self.high))
        }
        return {
            "from": self.band[0],
            "to": self.band[1],
            "rows": self.rows,
            "frauds": self.frauds,
            "said": round(self.predicted, 9),
            "seen": round(self.observed, 9),
            **finite,
        }


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predicted against observed fraud of one model: overall, and for each band with payments."""

    overall: ReliabilityBand
    bands: tuple[ReliabilityBand, ...]

    def document(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "overall": self.overall.document(),
            "bands": [band.document() for band in self.bands],
        }


def reliability(
    probability: Float64, fraud: NDArray[np.generic], cluster: Int64, seed: int = 0
) -> Reliability:
    """Compare probabilities with labels.

    An interval covers two sources of chance: which clusters were drawn (a bootstrap of whole
    clusters), and how many frauds they happen to hold (the exact Poisson interval, which is right
    where a bootstrap of few frauds is too narrow). The wider end of the two counts.

    Args:
        probability: float64[n] in [0, 1]; n >= 1.
        fraud: number[n], 1 for fraud, else 0.
        cluster: int64[n] codes from 0 on of the clusters that are resampled whole.
    """
    labels = np.asarray(fraud, np.float64)
    whole = (EDGES[0], EDGES[-1])
    overall = _band(probability, labels, cluster, whole, LEVEL, seed)
    band = np.clip(np.digitize(probability, EDGES) - 1, 0, len(EDGES) - 2)
    bands = []
    for number in np.unique(band).tolist():
        there = band == number
        edges = (EDGES[number], EDGES[number + 1])
        codes = renumbered(cluster[there])
        bands.append(_band(probability[there], labels[there], codes, edges, BAND_LEVEL, seed))
    return Reliability(overall, tuple(bands))


def _band(
    probability: Float64,
    fraud: Float64,
    cluster: Int64,
    band: tuple[float, float],
    level: float,
    seed: int,
) -> ReliabilityBand:
    expected, frauds = float(probability.sum()), float(fraud.sum())
    tail = (1 - level) / 2
    least = chi2.ppf(tail, 2 * frauds) / 2 if frauds else 0.0
    most = chi2.ppf(1 - tail, 2 * frauds + 2) / 2
    low = expected / most
    high = expected / least if least > 0 else np.inf
    resampled = _resampled(probability, fraud, cluster, seed)
    if resampled.size:
        ends = np.quantile(resampled, [tail, 1 - tail], method="nearest")
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    return ReliabilityBand(
        band=band,
        rows=int(fraud.size),
        predicted=expected / fraud.size,
        observed=frauds / fraud.size,
        frauds=int(frauds),
        ratio=expected / frauds if frauds else np.inf,
        low=float(low),
        high=float(high),
    )


def _resampled(probability: Float64, fraud: Float64, cluster: Int64, seed: int) -> Float64:
    """Ratios of resampled clusters: float64[RESAMPLES]; [] for a single cluster."""
    predicted, observed = np.bincount(cluster, probability), np.bincount(cluster, fraud)
    n = predicted.size
    if n < 2:
        return np.empty(0)
    found = np.full(RESAMPLES, np.inf)
    for i, copies in enumerate(draws(n, RESAMPLES, seed)):
        frauds = copies @ observed
        if frauds > 0:
            found[i] = copies @ predicted / frauds
    return found


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if np.isfinite(ratio) else "no limit"
