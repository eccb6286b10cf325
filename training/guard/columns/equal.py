"""Two numbers that are equal but where there is fraud, or nowhere else."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from fraud.payment.batch import Float64
from training.finding import Finding
from training.guard.columns.column import Column
from training.guard.columns.label_columns import telling
from training.guard.rows import GuardRows
from training.sets.dataset import Dataset

_GLANCE = 1_000
_APART = 0.5
"""Shares of frauds and of others that are equal have to lie so far apart."""
_LEAST_VALUES = 30
"""Columns of few values are equal by chance."""


def equal_columns(dataset: Dataset, rows: GuardRows) -> list[Finding]:
    """What the equality of two numbers of a table tells of the label.

    Of a loan that is paid back, what was received is what was lent. That frauds alone are equal is
    told and not refused: a thief who empties an account takes what there is.
    """
    _, few = rows.every_nth(_GLANCE)
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
            found += _told(dataset, rows, one, other, of_frauds=apart > 0)
    return found


def _told(
    dataset: Dataset, rows: GuardRows, one: int, other: int, *, of_frauds: bool
) -> list[Finding]:
    names = dataset.schema.names

    def at(places: np.ndarray) -> Float64:
        values = np.asarray(dataset.values[places][:, [one, other]], np.float64)
        return _same(values[:, 0], values[:, 1]).astype(np.float64)

    # The later column is the one that was filled in later, more often than not.
    form = f"whether {names[other]} is equal to {names[one]}"
    column = Column(names[other], at, True, form=form, foreign=False)
    return [
        Finding("warn", "nearly-tells-label", f.sentence, column=f.column) if of_frauds else f
        for f in telling([column], rows)
    ]


def _same(one: Float64, other: Float64) -> np.ndarray:
    same: np.ndarray = np.isclose(one, other, rtol=1e-6, atol=1e-6)
    return same
