"""Bootstrap intervals: how far figures would move on other payments of the same customers.

Whole clusters are drawn with replacement, because payments of one customer resemble each other and
drawing single payments would give too narrow an interval (Davison and Hinkley 1997, section 3.8). A
resample is a number of copies for each cluster. Every model is measured on the same resamples, so
that intervals are comparable.

Percentile intervals of few clusters tend to be too narrow. With most frauds in 30 of 150 customers,
nominal 95 % intervals covered the truth in 88 to 96 % of simulated worlds, depending on the figure,
and in only 69 to 78 % for value caught if heavy-tailed amounts depend on the customer, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.metrics.metrics import Gauge
from training.metrics.ranking import Ranking, average_precision

LEVEL = 0.95
RESAMPLES = 200
_USABLE = 0.8
"""The share of resamples in which a figure must exist for it to get an interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The range of a figure in 95 % of resamples: low <= high."""

    low: float
    high: float


def draws(n_clusters: int, resamples: int, seed: int) -> Iterator[Float64]:
    """For each resample the copies of each cluster: float64[n_clusters], which sum to n_clusters.

    The same arguments give the same draws.
    """
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = rng.integers(0, n_clusters, n_clusters)
        yield np.bincount(drawn, minlength=n_clusters).astype(np.float64)


def intervals(
    gauges: Mapping[str, Gauge], n_clusters: int, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, dict[str, Interval]]:
    """Percentile intervals of every figure of every model.

    The calibration error is a sum of distances, to which noise can only add. Its lower end is
    therefore the measured value less the 95 % quantile of the total by which resampling moves the
    bins.

    Returns:
        Model -> figure -> interval. A figure that does not exist in a fifth of the resamples, for
        lack of frauds, has none.
    """
    spreads = {name: _Spread(gauge) for name, gauge in gauges.items()}
    for copies in draws(n_clusters, resamples, seed):
        for spread in spreads.values():
            spread.resample(copies)
    return {name: spread.intervals() for name, spread in spreads.items()}


def precision_interval(
    ranking: Ranking, cluster: Int64, resamples: int, seed: int
) -> Interval | None:
    """Percentile interval of the average precision only; None with too few frauds.

    Args:
        cluster: int64[n] codes from 0 on, in the order given to the ranking.
    """
    ranked = cluster[ranking.order]
    n_clusters = int(cluster.max()) + 1
    values = [
        average_precision(ranking.steps(np.take(copies, ranked, mode="clip")))
        for copies in draws(n_clusters, resamples, seed)
    ]
    return interval_of(np.array(values))


class _Spread:
    """The figures of one model in every resample."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._measured, self._gaps = gauge.measure()
        self._resampled: dict[str, list[float]] = {figure: [] for figure in self._measured}
        self._noise: list[float] = []

    def resample(self, copies: Float64) -> None:
        figures, gaps = self._gauge.measure(copies)
        for figure, value in figures.items():
            self._resampled[figure].append(value)
        if gaps is not None and self._gaps is not None:
            self._noise.append(float(np.abs(gaps - self._gaps).sum()))

    def intervals(self) -> dict[str, Interval]:
        found = {}
        for figure, values in self._resampled.items():
            interval = interval_of(np.array(values))
            if interval is None:
                continue
            if figure == "calibration_error":
                interval = self._above_noise(self._measured[figure], interval)
            found[figure] = interval
        return found

    def _above_noise(self, measured: float, interval: Interval) -> Interval:
        low = measured - float(np.quantile(self._noise, LEVEL))
        return Interval(max(low, 0.0), max(interval.high, measured))


def interval_of(values: Float64) -> Interval | None:
    """The middle 95 % of resampled figures float64[resamples], which may be NaN; None if too many
    are."""
    usable = values[np.isfinite(values)]
    if not usable.size or usable.size < _USABLE * values.size:
        return None
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
