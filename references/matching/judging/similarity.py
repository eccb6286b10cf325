"""How similar a file is to what a reference's models learnt from: coverage times closeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from references.matching.match import ColumnMatch


@dataclass(frozen=True, slots=True)
class Similarity:
    """All in [0, 1]. See `ModelMatch`."""

    coverage: float
    closeness: float

    @property
    def value(self) -> float:
        """Coverage times closeness."""
        return self.coverage * self.closeness


def similarity_of(columns: Sequence[ColumnMatch]) -> Similarity:
    """Return how much of a reference's columns a file has, by importance, and how close these are.

    If no column has any importance, all count alike.
    """
    weights = [max(column.importance, 0.0) for column in columns]
    if not sum(weights):
        weights = [1.0] * len(columns)
    held = [
        (weight, column.distribution_score)
        for weight, column in zip(weights, columns, strict=True)
        if column.file_column is not None
    ]
    covered = sum(weight for weight, _ in held)
    if not covered:
        return Similarity(0.0, 0.0)
    closeness = sum(weight * close for weight, close in held) / covered
    return Similarity(min(covered / sum(weights), 1.0), closeness)
