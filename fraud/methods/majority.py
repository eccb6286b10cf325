"""The share of members that vote for fraud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraud.methods.mean import mean_of_row, mean_of_votes
from fraud.payment.batch import Float64


@dataclass(frozen=True, slots=True)
class Majority:
    """Weighted share of the members whose vote reaches a level, over the members that scored a row.

        p[i] = sum_k w[k] [s[k][i] >= at] / sum_k w[k]

    Attributes:
        at: the lowest vote for fraud, in (0, 1].

    >>> a, b = np.array([0.2, 0.7, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> Majority(0.5).combine([a, b], [1.0, 3.0], 4.0, 3).tolist()
    [0.75, 1.0, nan]
    """

    name: ClassVar[str] = "majority"
    title: ClassVar[str] = "weighted share of votes for fraud"
    uses_ranks: ClassVar[bool] = False
    at: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.at <= 1:
            raise ValueError("at: expected a number above 0 and at most 1")

    def combine(
        self, scores: Sequence[Float64], weights: Sequence[float], total_weight: float, n: int
    ) -> Float64:
        """See `CombiningMethod`."""
        flags = [np.where(s != s, np.nan, s >= self.at) for s in scores]
        return np.minimum(mean_of_votes(flags, weights, n), 1.0)

    def combine_row(self, scores: Sequence[float], weights: Sequence[float]) -> float:
        """See `CombiningMethod`."""
        return min(mean_of_row([float(s >= self.at) for s in scores], weights), 1.0)
