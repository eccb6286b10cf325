"""Costs that grow with the rows of a micro-batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Line:
    """The cost of a micro-batch of n rows: `call + n * row`, both >= 0."""

    call: float
    row: float

    def of(self, rows: float) -> float:
        """Return the cost of a micro-batch of `rows`."""
        return self.call + rows * self.row

    def each(self, rows: float) -> float:
        """Return the cost of one row in a micro-batch of `rows`."""
        return self.call / rows + self.row


def line(rows: Sequence[float], costs: Sequence[float]) -> Line:
    """Fit a line to the costs of micro-batches, by least squares of the relative error.

    Args:
        rows: rows of each micro-batch, > 0, at least two different numbers.
        costs: its cost, > 0.
    """
    n, cost = np.asarray(rows, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    weights = 1 / np.maximum(cost, 1e-12)
    columns = np.stack([np.ones_like(n), n], axis=1)
    (call, row), *_ = np.linalg.lstsq(columns * weights[:, None], cost * weights, rcond=None)
    if call < 0:
        return Line(0.0, _share(n, cost, weights))
    if row < 0:
        return Line(_share(np.ones_like(n), cost, weights), 0.0)
    return Line(float(call), float(row))


def _share(column: np.ndarray, cost: np.ndarray, weights: np.ndarray) -> float:
    """Return the factor of one column that fits best."""
    scaled = column * weights
    return float(np.dot(scaled, cost * weights) / np.dot(scaled, scaled))
