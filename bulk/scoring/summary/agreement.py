"""How far the models of an ensemble see the same fraud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Float64

ROWS_COMPARED = 100_000
"""Rows that are compared, evenly spread."""

_LEAST_ROWS = 100


def rank_correlations(scores: Sequence[Float32]) -> Float64:
    """float64[m, m]: Spearman's rank correlation of each pair of m models over the rows that both
    score; NaN for fewer than 100 such rows, or where a model gives one score to all.

    Args:
        scores: float32[n] of each model, NaN where it gives none.
    """
    step = max(1, len(scores[0]) // ROWS_COMPARED) if scores else 1
    rows = [column[::step] for column in scores]
    found = np.eye(len(rows))
    for i in range(len(rows)):
        for j in range(i):
            found[i, j] = found[j, i] = _correlation(rows[i], rows[j])
    return found


def mean_agreement(correlations: Float64) -> float | None:
    """The mean of all pairs that are known; None if there is no pair."""
    pairs = correlations[np.tril_indices(len(correlations), -1)]
    known = pairs[~np.isnan(pairs)]
    return float(known.mean()) if known.size else None


def _correlation(one: Float32, other: Float32) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _LEAST_ROWS:
        return float("nan")
    ranks = [_ranks(column[both]) for column in (one, other)]
    deviations = [rank.std() for rank in ranks]
    if min(deviations) == 0:
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Float32) -> NDArray[np.float64]:
    """Mean ranks: equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return found
