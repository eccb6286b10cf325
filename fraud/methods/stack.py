"""Logistic stacking: the votes' log-odds, weighted and shifted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraud.methods.mean import mean_of_row, mean_of_votes
from fraud.payment.batch import Float64

LOWEST, HIGHEST = 1e-6, 1 - 1e-6
"""Votes are clipped to these: no vote is certain, and log-odds stay finite."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Stacked probability of each row (Wolpert 1992, with the non-negative weights of Breiman
    1996, on log-odds).

        p[i] = sigmoid(b + W * sum_k w[k] logit s[k][i] / sum_k w[k]),
            k over the members with a number for row i, W = sum of the weights of all members

    If every member votes, that is sigmoid(b + sum_k w[k] logit s[k][i]). A member without a number
    for a row (NaN, or not given at all) drops out, and the weights of the others are renormalised
    to the same sum, as if it had voted their weighted mean. A higher vote never lowers p.

    Attributes:
        intercept: b, in log-odds; finite.

    >>> a, b = np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> Stack().combine([a, b], [0.5, 0.5], 1.0, 3).round(3).tolist()
    [0.5, 0.2, nan]
    """

    name: ClassVar[str] = "stack"
    title: ClassVar[str] = "logistic stack of the votes’ log-odds"
    uses_ranks: ClassVar[bool] = False
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.intercept):
            raise ValueError("intercept: expected a finite number")

    def combine(
        self, scores: Sequence[Float64], weights: Sequence[float], total_weight: float, n: int
    ) -> Float64:
        """See `CombiningMethod`."""
        mean = mean_of_votes([logit(s) for s in scores], weights, n)
        odds = self.intercept + total_weight * mean
        # The exponential of a number <= 0 cannot overflow.
        small = np.exp(-np.abs(odds))
        p: Float64 = np.where(odds >= 0, 1.0, small) / (1.0 + small)
        return p

    def combine_row(self, scores: Sequence[float], weights: Sequence[float]) -> float:
        """See `CombiningMethod`."""
        clipped = [min(max(s, LOWEST), HIGHEST) for s in scores]
        odds_of_votes = np.log(np.array([s / (1.0 - s) for s in clipped])).tolist()
        odds = self.intercept + sum(weights) * mean_of_row(odds_of_votes, weights)
        small = float(np.exp(-abs(odds)))
        return (1.0 if odds >= 0 else small) / (1.0 + small)


def logit(scores: Float64) -> Float64:
    """Return log-odds of float64[n] in [0, 1], clipped to [1e-6, 1 - 1e-6]; NaN stays NaN."""
    clipped = np.minimum(np.maximum(scores, LOWEST), HIGHEST)
    odds: Float64 = np.log(clipped / (1.0 - clipped))
    return odds
