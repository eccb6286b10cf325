"""The fit of a mean of ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fraud.methods.rank import RankAverage, rank_levels, rank_of
from fraud.payment.batch import Float32, Float64
from training.fit.combining.combination import Combination
from training.fit.combining.mean import fit_mean

_RANKS = 101
"""Votes of each member that its ranks are read from."""
_DIGITS = 9
"""Significant digits of such a vote."""


def fit_rank(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Take each member's ranks from its votes, and fit the weights of a mean on them; see `Fit`."""
    ranks = {name: _ranks(v) for name, v in votes.items()}
    ranked = {name: rank_of(v, ranks[name]) for name, v in votes.items()}
    return Combination(RankAverage(), fit_mean(ranked, fraud).weights, ranks)


def _ranks(votes: Float64) -> tuple[float, ...]:
    """The votes at `rank_levels`. The outermost are 0 and 1, so that later votes beyond those of
    training have ranks of their own and keep their order."""
    inner = np.quantile(votes, rank_levels(_RANKS)[1:-1]).tolist()
    return (0.0, *(float(f"{vote:.{_DIGITS}g}") for vote in inner), 1.0)
