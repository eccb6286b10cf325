"""How far the models of an ensemble see the same fraud.

Rank correlations over all rows say little about it: nearly all rows are genuine, and in which order
models put these is chance. So the riskiest rows are compared, as many as frauds are expected.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bulk.scoring.combining.levels import riskiest
from fraud.payment.batch import Float32, Float64

LEAST_ROWS = 20
"""Riskiest rows that are compared at least."""

_FEW = 100


def overlaps(scores: Sequence[Float32], share: float) -> Float64:
    """float64[m, m] in [0, 1]: the share of the riskiest rows of a model that are also among those
    of another one, of the rows that both score; NaN for fewer than 100 such rows, or where a model
    gives the same score to all of them. Chance alone gives `share`.

    Args:
        scores: float32[n] of each of m models, NaN where it gives none.
        share: of the rows, how many count as riskiest, in (0, 1); at least `LEAST_ROWS` do.
    """
    found = np.eye(len(scores))
    for i in range(len(scores)):
        for j in range(i):
            found[i, j] = found[j, i] = _overlap(scores[i], scores[j], share)
    return found


def mean_agreement(overlap: Float64) -> float | None:
    """The mean of all pairs that are known; None if there is no pair."""
    pairs = overlap[np.tril_indices(len(overlap), -1)]
    known = pairs[~np.isnan(pairs)]
    return float(known.mean()) if known.size else None


def _overlap(one: Float32, other: Float32, share: float) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    kept = [column[both] for column in (one, other)]
    if both.sum() < _FEW or any(column.min() == column.max() for column in kept):
        return float("nan")
    n = max(LEAST_ROWS, round(share * len(kept[0])))
    first, second = (riskiest(column, n) for column in kept)
    return len(np.intersect1d(first, second, assume_unique=True)) / n
