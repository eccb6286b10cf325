"""The fit of a majority."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fraud.methods.majority import Majority
from fraud.payment.batch import Float32, Float64
from training.fit.combining.combination import Combination
from training.metrics.counts import average_precision_by_counts

_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Quantiles of all votes that are tried as the level from which a vote is one for fraud."""


def fit_majority(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Take equal weights, and of some quantiles of all votes the level with the best average
    precision, the lowest of equals; see `Fit`."""
    weights = dict.fromkeys(votes, 1.0)
    levels = np.unique(np.quantile(np.concatenate(list(votes.values())), _LEVELS)).tolist()
    made = [Combination(Majority(level), weights) for level in levels if 0 < level <= 1]
    made = made or [Combination(Majority(), weights)]
    return max(made, key=lambda combination: average_precision_by_counts(fraud, combination(votes)))
