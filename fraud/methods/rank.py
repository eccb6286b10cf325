"""The mean of the votes' ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraud.methods.mean import Mean


@dataclass(frozen=True, slots=True)
class RankAverage(Mean):
    """Weighted mean of each vote's rank among the votes that its member cast in training.

    A rank is in [0, 1]: the share of training rows that the member scored lower (`Member.ranks`).
    Members that spread their scores differently count alike. The plan's calibration turns the mean
    rank into a probability.
    """

    name: ClassVar[str] = "rank"
    title: ClassVar[str] = "weighted mean of ranks"
    uses_ranks: ClassVar[bool] = True
