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
    levels = rank_levels(_RANKS)
    ranks = {name: _significant(np.quantile(v, levels)) for name, v in votes.items()}
    ranked = {name: rank_of(v, ranks[name]) for name, v in votes.items()}
    return Combination(RankAverage(), fit_mean(ranked, fraud).weights, ranks)


def _significant(votes: Float64) -> tuple[float, ...]:
    return tuple(float(f"{vote:.{_DIGITS}g}") for vote in votes.tolist())
