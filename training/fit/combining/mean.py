"""The fit of a weighted mean."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from fraud.methods.mean import Mean
from fraud.payment.batch import Float32, Float64
from training.fit.combining.combination import Combination
from training.metrics.counts import average_precision_by_counts

_GRID = 10
"""Weights are multiples of 1/10 and at least 1/10: every member counts, so that losing any one
model leaves a quorum."""
_PRIOR_FRAUDS = 50
"""Weights are shrunk towards equal ones as if this many frauds supported that: a few frauds prove
little, and weights fitted to their noise would be worse than equal weights."""


def fit_mean(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Fit the weights by average precision, drawn towards equal ones; see `Fit`."""
    best, frauds = fit_weights(votes, fraud), float(fraud.sum())
    sure = frauds / (frauds + _PRIOR_FRAUDS)
    weights = {n: round(sure * w + (1 - sure) / len(votes), 3) for n, w in best.items()}
    return Combination(Mean(), weights)


def fit_weights(votes: Mapping[str, Float64], fraud: Float32) -> dict[str, float]:
    """The weights on the grid with the best average precision; of equals, the most even."""
    names = list(votes)
    scores = np.stack([votes[name] for name in names])
    best: tuple[float, float] | None = None
    chosen: tuple[int, ...] = ()
    for parts in product(range(1, _GRID + 1), repeat=len(names)):
        if sum(parts) != _GRID:
            continue
        precision = average_precision_by_counts(fraud, np.array(parts) @ scores)
        figures = (round(precision, 6), -float(np.var(parts)))
        if best is None or figures > best:
            best, chosen = figures, parts
    return {name: part / _GRID for name, part in zip(names, chosen, strict=True)}
