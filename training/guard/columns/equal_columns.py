"""Pairs of numbers that are equal except for frauds, or only for frauds."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from fraud.payment.batch import Float64
from training.finding import Finding
from training.guard.columns.column import Column
from training.guard.columns.label_columns import find_label_columns
from training.guard.rows import GuardRows
from training.sets.dataset import Dataset

_GLANCE = 1_000
_APART = 0.5
"""The shares of frauds and of others with equal numbers must differ by this much."""
_LEAST_VALUES = 30
"""Columns with fewer distinct values are equal by chance."""


def equal_columns(dataset: Dataset, rows: GuardRows) -> list[Finding]:
    """Findings on pairs of numbers of a table whose equality predicts the label.

    For a repaid loan the amount received equals the amount lent. Numbers that are equal only for
    frauds just warn: a thief who empties an account takes all there is.
    """
    few = rows.thinned(_GLANCE)
    values = np.asarray(dataset.values[few.rows], np.float64)
    fraud = few.fraud > 0
    if not fraud.any() or fraud.all():
        return []
    schema = dataset.schema
    usable = [
        i
        for i in range(values.shape[1])
        if i not in schema.categorical and np.unique(values[:, i]).size >= _LEAST_VALUES
    ]
    found: list[Finding] = []
    for one, other in combinations(usable, 2):
        same = _same(values[:, one], values[:, other])
        apart = float(same[fraud].mean() - same[~fraud].mean())
        if abs(apart) >= _APART:
            found += _findings(dataset, rows, one, other, of_frauds=apart > 0)
    return found


def _findings(
    dataset: Dataset, rows: GuardRows, one: int, other: int, *, of_frauds: bool
) -> list[Finding]:
    names = dataset.schema.names

    def at(places: np.ndarray) -> Float64:
        values = np.asarray(dataset.values[places][:, [one, other]], np.float64)
        return _same(values[:, 0], values[:, 1]).astype(np.float64)

    # The column further right was more likely filled in later.
    derived = f"whether {names[other]} is equal to {names[one]}"
    column = Column(names[other], at, True, derived=derived, named_by_user=False)
    return [
        Finding("warn", "nearly-tells-label", f.sentence, column=f.column) if of_frauds else f
        for f in find_label_columns([column], rows)
    ]


def _same(one: Float64, other: Float64) -> np.ndarray:
    same: np.ndarray = np.isclose(one, other, rtol=1e-6, atol=1e-6)
    return same
