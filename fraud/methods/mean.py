"""The weighted mean of the votes that were cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraud.payment.batch import Float64


@dataclass(frozen=True, slots=True)
class Mean:
    """Weighted mean of each row over the members that scored it.

        p[i] = sum_k w[k] s[k][i] / sum_k w[k],   k over the members with a number for row i

    A member without a number for a row (NaN) drops out of that row, and the division renormalises
    the weights of the others: p stays between the lowest and the highest vote cast.

    Attributes:
        intercept: always 0; stored plans have it.

    >>> a, b = np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> Mean().combine([a, b], [1.0, 3.0], 4.0, 3).round(3).tolist()
    [0.65, 0.2, nan]
    """

    name: ClassVar[str] = "mean"
    title: ClassVar[str] = "weighted mean of votes"
    uses_ranks: ClassVar[bool] = False
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if self.intercept != 0:
            raise ValueError("intercept: expected 0 for a mean")

    def combine(
        self, scores: Sequence[Float64], weights: Sequence[float], total_weight: float, n: int
    ) -> Float64:
        """See `CombiningMethod`."""
        # Rounding may leave [0, 1] by one unit in the last place.
        return np.minimum(np.maximum(mean_of_votes(scores, weights, n), 0.0), 1.0)

    def combine_row(self, scores: Sequence[float], weights: Sequence[float]) -> float:
        """See `CombiningMethod`."""
        return min(max(mean_of_row(scores, weights), 0.0), 1.0)


def mean_of_votes(values: Sequence[Float64], weights: Sequence[float], n: int) -> Float64:
    """Return the weighted mean of votes on any scale: float64[n], NaN where no member voted."""
    if not values:
        return np.full(n, np.nan)
    # Summed one by one in the order given, never by a BLAS: the same bits on every machine.
    total = weights[0] * values[0]
    weight = weights[0]
    for v, w in zip(values[1:], weights[1:], strict=True):
        total = total + w * v
        weight += w
    return _mean_of_present(values, weights, n) if has_gaps(total) else total / weight


def mean_of_row(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return what `mean_of_votes` returns for one row with k >= 1 votes, to the last bit."""
    total = weights[0] * values[0]
    weight = weights[0]
    for v, w in zip(values[1:], weights[1:], strict=True):
        total += w * v
        weight += w
    return total / weight


def has_gaps(scores: Float64) -> bool:
    """Return whether a row has no number. One pass: finite numbers never sum to NaN.

    >>> has_gaps(np.array([0.5, np.nan])), has_gaps(np.array([0.5])), has_gaps(np.array([]))
    (True, False, False)
    """
    total = scores.item() if len(scores) == 1 else float(np.add.reduce(scores))
    return total != total


def _mean_of_present(values: Sequence[Float64], weights: Sequence[float], n: int) -> Float64:
    total = np.zeros(n)
    weight = np.zeros(n)
    for v, w in zip(values, weights, strict=True):
        cast = v == v  # False exactly where NaN
        total[cast] += w * v[cast]
        weight[cast] += w
    mean = np.full(n, np.nan)
    np.divide(total, weight, out=mean, where=weight > 0)
    return mean
