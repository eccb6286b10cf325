"""How far the models of an ensemble see the same fraud.

Rank correlations over all rows say little about it: nearly all rows are genuine, and in which order
models put these is chance. So the riskiest rows are compared, as many as frauds are expected.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.payment.batch import Float32, Float64

LEAST_ROWS = 20
"""Riskiest rows that are compared at least."""

_FEW = 100


def overlaps(scores: Sequence[Float32], share: float) -> Float64:
    """float64[m, m] in [0, 1]: the share of the riskiest rows of a model that are also among those
    of another one, of the rows that both score; NaN for fewer than 100 such rows, or where a model
    gives the same score to all of them. Chance alone gives `share`.

    Models of trees give many rows the same score. Of rows that are equally risky at the border,
    each counts by its chance to be drawn: the order of the file says nothing about agreement.

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
    return float((_drawn(kept[0], n) * _drawn(kept[1], n)).sum() / n)


def _drawn(score: Float32, n: int) -> Float32:
    """float32[m]: the chance of each row to be one of the n riskiest, equal ones drawn by lot."""
    least = np.partition(score, score.size - n)[score.size - n]
    equal = score == least
    above = score > least
    chance = (n - int(above.sum())) / int(equal.sum())
    found: Float32 = above + equal * np.float32(chance)
    return found
