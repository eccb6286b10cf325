"""What probabilities said over what was seen, overall and by band.

A calibration error is a mean distance in probability: at a rate of 0.2 % a model that says 40 % too
little is off by 0.0008, which no limit on the error would notice. The quotient notices it at any
rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from fraud.payment.batch import Float64, Int64

LEVEL = 0.95
BAND_LEVEL = 0.99
"""Of bands, which are several: one of them lies outside of 95 % by chance too often."""
EDGES = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0)
"""Of the bands: [0, 0.001), [0.001, 0.01) and so on."""
RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Quotient:
    """Payments of one band, or all.

    Attributes:
        band: lowest and highest probability.
        rows: how many payments.
        said: mean probability.
        seen: share of fraud.
        frauds: how many.
        ratio: said over seen, 1 is right, below it says too little; inf without fraud.
        low, high: the interval of the ratio; `high` is inf without fraud.
    """

    band: tuple[float, float]
    rows: int
    said: float
    seen: float
    frauds: int
    ratio: float
    low: float
    high: float

    def off(self, limit: float) -> bool:
        """Whether it is off by more than a factor `limit` either way, and that is no chance: the
        interval excludes 1 as well."""
        far = self.ratio > limit or self.ratio * limit < 1
        return far and not self.low <= 1 <= self.high

    def sentence(self) -> str:
        """In words, with its figures."""
        where = (
            "" if self.band == (EDGES[0], EDGES[-1]) else f"{self.band[0]:g} to {self.band[1]:g}: "
        )
        return (
            f"{where}said {self.said:.3%}, seen {self.seen:.3%} ({self.frauds:,} frauds in"
            f" {self.rows:,}): {_times(self.ratio)} [{_times(self.low)}, {_times(self.high)}]"
        )

    def document(self) -> dict[str, object]:
        """JSON-ready; None where a ratio is infinite."""
        finite = {
            name: round(value, 6) if np.isfinite(value) else None
            for name, value in (("ratio", self.ratio), ("low", self.low), ("high", self.high))
        }
        return {
            "from": self.band[0],
            "to": self.band[1],
            "rows": self.rows,
            "frauds": self.frauds,
            "said": round(self.said, 9),
            "seen": round(self.seen, 9),
            **finite,
        }


@dataclass(frozen=True, slots=True)
class SaidSeen:
    """What one model said and what was seen: over all payments, and in each band that has any."""

    overall: Quotient
    bands: tuple[Quotient, ...]

    def document(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "overall": self.overall.document(),
            "bands": [band.document() for band in self.bands],
        }


def said_seen(
    probability: Float64, fraud: NDArray[np.generic], cluster: Int64, seed: int = 0
) -> SaidSeen:
    """Hold probabilities against labels.

    An interval covers two sources of chance: which clusters there are (a bootstrap of whole
    clusters) and how many frauds they happen to have (the exact Poisson interval, which holds
    where few frauds make a bootstrap too sure); the wider end of both counts.

    Args:
        probability: float64[n] in [0, 1]; n >= 1.
        fraud: number[n], 1 fraud and 0 not.
        cluster: int64[n] codes from 0 on of what is resampled as a whole.
    """
    labels = np.asarray(fraud, np.float64)
    whole = (EDGES[0], EDGES[-1])
    overall = _quotient(probability, labels, cluster, whole, LEVEL, seed)
    band = np.clip(np.digitize(probability, EDGES) - 1, 0, len(EDGES) - 2)
    bands = []
    for number in np.unique(band).tolist():
        there = band == number
        edges = (EDGES[number], EDGES[number + 1])
        codes = np.unique(cluster[there], return_inverse=True)[1].reshape(-1)
        bands.append(_quotient(probability[there], labels[there], codes, edges, BAND_LEVEL, seed))
    return SaidSeen(overall, tuple(bands))


def _quotient(
    probability: Float64,
    fraud: Float64,
    cluster: Int64,
    band: tuple[float, float],
    level: float,
    seed: int,
) -> Quotient:
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
    return Quotient(
        band=band,
        rows=int(fraud.size),
        said=expected / fraud.size,
        seen=frauds / fraud.size,
        frauds=int(frauds),
        ratio=expected / frauds if frauds else np.inf,
        low=float(low),
        high=float(high),
    )


def _resampled(probability: Float64, fraud: Float64, cluster: Int64, seed: int) -> Float64:
    """Ratios of resampled clusters: float64[RESAMPLES]; [] of a single cluster."""
    of_cluster = np.bincount(cluster, probability), np.bincount(cluster, fraud)
    n = of_cluster[0].size
    if n < 2:
        return np.empty(0)
    rng = np.random.default_rng(seed)
    found = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        copies = np.bincount(rng.integers(0, n, n), minlength=n)
        said, seen = (float(np.dot(copies, each)) for each in of_cluster)
        found[i] = said / seen if seen > 0 else np.inf
    return found


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if np.isfinite(ratio) else "no limit"
