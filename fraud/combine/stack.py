"""Logistic stacking: the votes' log-odds, weighed and shifted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.combine.average import mean_of_votes
from fraud.payment.batch import Float64

LOWEST, HIGHEST = 1e-6, 1 - 1e-6
"""Votes beyond are taken as these: nobody is certain, and log-odds stay finite."""


def logit(scores: Float64) -> Float64:
    """Log-odds of float64[n] in [0, 1], each taken as within [1e-6, 1 - 1e-6]; NaN stays NaN."""
    inside = np.minimum(np.maximum(scores, LOWEST), HIGHEST)
    odds: Float64 = np.log(inside / (1.0 - inside))
    return odds


def stacked(
    scores: Sequence[Float64],
    weights: Sequence[float],
    intercept: float,
    whole: float,
    n: int,
) -> Float64:
    """Stacked probability of each row (Wolpert 1992, with the non-negative weights of Breiman
    1996, on log-odds).

        p[i] = sigmoid(b + W * sum_k w[k] logit s[k][i] / sum_k w[k]),
            k over the members with a number for row i, W = sum of the weights of all members

    With every vote cast that is sigmoid(b + sum_k w[k] logit s[k][i]). A member without a number
    for a row (NaN, or not given at all) drops out, and the weights of the others are renormalised
    to the same sum: as if it had voted what the others say in their weighted mean. A vote that
    rises never lowers p.

    Args:
        scores: for each member that answered float64[n] in [0, 1], NaN where it has none.
        weights: for each of them a weight > 0.
        intercept: b.
        whole: W.
        n: number of rows.

    Returns:
        float64[n] in [0, 1]; NaN where nobody voted.

    >>> a, b = np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> stacked([a, b], [0.5, 0.5], 0.0, 1.0, 3).round(3).tolist()
    [0.5, 0.2, nan]
    """
    mean = mean_of_votes([logit(s) for s in scores], weights, n)
    odds = intercept + whole * mean
    # The exponential of a number below zero only: it cannot overflow.
    small = np.exp(-np.abs(odds))
    p: Float64 = np.where(odds >= 0, 1.0, small) / (1.0 + small)
    return p
