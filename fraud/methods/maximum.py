"""The highest of the votes that were cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from fraud.payment.batch import Float64


@dataclass(frozen=True, slots=True)
class Maximum:
    """Highest vote on each row, over the members that scored it. Weights do not count.

    It fits members that each see a kind of fraud that the others miss. The plan's calibration
    turns it into a probability: the maximum of calibrated votes is too high.

    >>> a, b = np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])
    >>> Maximum().combine([a, b], [1.0, 3.0], 4.0, 3).tolist()
    [0.8, 0.2, nan]
    """

    name: ClassVar[str] = "maximum"
    title: ClassVar[str] = "maximum of votes"
    uses_ranks: ClassVar[bool] = False

    def combine(
        self, scores: Sequence[Float64], weights: Sequence[float], total_weight: float, n: int
    ) -> Float64:
        """See `CombiningMethod`."""
        return reduce(np.fmax, scores) if scores else np.full(n, np.nan)

    def combine_row(self, scores: Sequence[float], weights: Sequence[float]) -> float:
        """See `CombiningMethod`."""
        return max(scores)
