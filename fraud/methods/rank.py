"""The mean of the votes' ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from fraud.methods.mean import Mean
from fraud.payment.batch import Float64


@dataclass(frozen=True, slots=True)
class RankAverage(Mean):
    """Weighted mean of each vote's rank among the votes that its member cast in training.

    A rank is in [0, 1]: the share of training rows that the member scored no higher
    (`Member.ranks`). Members that spread their scores differently count alike. The plan's
    calibration turns the mean rank into a probability.
    """

    name: ClassVar[str] = "rank"
    title: ClassVar[str] = "weighted mean of ranks"
    uses_ranks: ClassVar[bool] = True


@lru_cache(maxsize=64)
def rank_levels(k: int) -> Float64:
    """Return the ranks at which k votes of training stand: float64[k], rising from 0 to 1.

        level[i] = 1 - (1 - i / (k - 1)) ** 3

    They are close together near 1, where fraud is: of 101 levels 67 lie above 0.7 and five above
    0.9999. The array is read-only.

    >>> rank_levels(3).tolist()
    [0.0, 0.875, 1.0]
    """
    left = 1.0 - np.linspace(0.0, 1.0, k)
    # Multiplied out: a power may differ between machines in its last bit.
    levels: Float64 = 1.0 - left * left * left
    levels.flags.writeable = False
    return levels


def rank_of(scores: Float64, ranks: Sequence[float] | Float64) -> Float64:
    """Return the rank of each vote among those of training: float64[n] in [0, 1], NaN stays NaN.

    Args:
        scores: float64[n] votes.
        ranks: votes of training at `rank_levels`, never falling; two or more. Of equal ones the
            highest rank counts.

    >>> rank_of(np.array([0.0, 0.1, 0.45, 1.0]), [0.1, 0.2, 0.7]).tolist()
    [0.0, 0.0, 0.9375, 1.0]
    """
    return np.interp(scores, ranks, rank_levels(len(ranks)))
