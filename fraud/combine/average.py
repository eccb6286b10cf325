"""The weighted mean of the votes that were cast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.payment.batch import Float64


def has_gaps(scores: Float64) -> bool:
    """Whether a row has no number. One pass and one call: finite numbers never sum to NaN.

    >>> has_gaps(np.array([0.5, np.nan])), has_gaps(np.array([0.5])), has_gaps(np.array([]))
    (True, False, False)
    """
    total = scores.item() if len(scores) == 1 else float(np.add.reduce(scores))
    return total != total


def weighted_mean(scores: Sequence[Float64], weights: Sequence[float], n: int) -> Float64:
    """Weighted mean of each row over those who scored it.

        p[i] = sum_k w[k] s[k][i] / sum_k w[k],   k over the members with a number for row i

    A member without a number for a row (NaN) drops out of that row, and the weights of the others
    are renormalised by the division: p stays between the lowest and the highest vote cast.

    Args:
        scores: for each member float64[n] in [0, 1], NaN where it has none.
        weights: for each member a weight > 0.
        n: number of rows.

    Returns:
        float64[n] in [0, 1]; NaN where nobody voted.

    >>> a, b = np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> weighted_mean([a, b], [1.0, 3.0], 3).round(3).tolist()
    [0.65, 0.2, nan]
    """
    mean = mean_of_votes(scores, weights, n)
    # Rounding may leave [0, 1] by one unit in the last place.
    return np.minimum(np.maximum(mean, 0.0), 1.0)


def mean_of_votes(values: Sequence[Float64], weights: Sequence[float], n: int) -> Float64:
    """The mean of `weighted_mean` over votes on any scale: float64[n], NaN where nobody voted."""
    if not values:
        return np.full(n, np.nan)
    # Summed one by one in the order given, never by a BLAS: the same bits on every machine.
    total = weights[0] * values[0]
    weight = weights[0]
    for v, w in zip(values[1:], weights[1:], strict=True):
        total = total + w * v
        weight += w
    return _mean_of_present(values, weights, n) if has_gaps(total) else total / weight


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
