"""Whether the columns of a file move together as those of a reference do: a second opinion.

Each column of a stranger's table may look like one of a reference's, above all if neither name says
anything. But which columns rise with which is a fingerprint: other periods, scales and shifts leave
it, and another source does not have it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Float64 = NDArray[np.float64]

LEAST_COLUMNS = 6
"""Fewer have too few pairs to compare."""
_NOISE = 3.0
"""Correlations that spread less than so many times what chance does say nothing."""
_LEAST_ROWS = 50


def structure_agreement(file: Float64, sketch: Float64) -> float | None:
    """Return the correlation, in [-1, 1], of two tables' Spearman rank correlations between
    columns; None if there are too few columns or rows, or if the sketch's columns hardly move
    together.

    Args:
        file, sketch: float64[n, k] and float64[m, k]: the same k columns, NaN where unknown.
    """
    if min(len(file), len(sketch)) < _LEAST_ROWS:
        return None
    ours, theirs = _ranked(file), _ranked(sketch)
    varied = (ours.std(axis=0) > 0) & (theirs.std(axis=0) > 0)
    if varied.sum() < LEAST_COLUMNS:
        return None
    pairs = np.triu_indices(int(varied.sum()), 1)
    a, b = (np.atleast_2d(np.corrcoef(side[:, varied].T))[pairs] for side in (ours, theirs))
    if b.std() < _NOISE / np.sqrt(len(sketch)) or not a.std():
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _ranked(values: Float64) -> Float64:
    """Ranks in each column; unknown values have the middle rank."""
    columns = []
    for column in values.T:
        known = ~np.isnan(column)
        ranks = np.full(len(column), (known.sum() + 1) / 2)
        ranks[known] = rankdata(column[known])
        columns.append(ranks)
    return np.column_stack(columns)
