"""The difference between two models, with its uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.errors import NotTrainable
from fraud.payment.batch import Float64, Int64
from training.metrics.bootstrap import draws, interval_of
from training.metrics.metrics import RANKED
from training.metrics.ranking import Ranking

RESAMPLES = 1000


class Difference(NamedTuple):
    """A figure of model a less that of model b, with its 95 % interval."""

    difference: float
    low: float
    high: float


def paired_difference(
    score_a: Float64,
    score_b: Float64,
    fraud: NDArray[np.generic],
    cluster: Int64,
    metric: str = "average_precision",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """A figure of model a less that of model b on the same n payments.

    Both are measured on the same resamples of clusters. What makes a week hard for both cancels
    out, so that the difference is known far more precisely than either figure.

    Args:
        score_a, score_b: float64[n], higher is more suspicious; n >= 1.
        fraud: number[n], 1 for fraud, else 0.
        cluster: int64[n] codes from 0 on of the clusters that are resampled whole, see
            `cases(...).cluster`.
        metric: a name of `training.metrics.metrics.RANKED`; in all of them higher is better.

    Raises:
        NotTrainable: the payments hold no fraud, only fraud, or so few of either that a fifth of
            the resamples has none.
    """
    labels = np.asarray(fraud, np.float64)
    figure = RANKED[metric]
    a, b = Ranking(score_a, labels), Ranking(score_b, labels)
    measured = figure(a.steps()) - figure(b.steps())
    n_clusters = int(cluster.max()) + 1
    of_a, of_b = cluster[a.order], cluster[b.order]
    moved = np.array(
        [
            figure(a.steps(np.take(copies, of_a))) - figure(b.steps(np.take(copies, of_b)))
            for copies in draws(n_clusters, resamples, seed)
        ]
    )
    interval = interval_of(moved)
    if interval is None or not np.isfinite(measured):
        raise NotTrainable(
            f"{labels.size:,} payments with {int(labels.sum()):,} frauds are too few to compare"
            " two models on: take more weeks"
        )
    return Difference(float(measured), interval.low, interval.high)
