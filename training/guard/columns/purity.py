"""Values that occur only with fraud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64
from training.guard.columns.column import Column
from training.guard.columns.evidence import FLAG_VALUES
from training.guard.rows import GuardRows

_LEAST = 5
_CHANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Pure:
    """A value that no genuine payment has, too often for chance.

    Attributes:
        known: the "value" is that the column is filled at all.
        flag: the column has so few values that each has a meaning.
        frauds: the number of frauds that have it.
        share: their share of all frauds.
        steady: frauds have it in every slice of time.
    """

    known: bool
    flag: bool
    frauds: int
    share: float
    steady: bool


def pure(values: Float64, column: Column, rows: GuardRows) -> Pure | None:
    """The pure value of a column with the most frauds; None if there is none.

    Args:
        values: float64[n] of the rows.
    """
    known = ~np.isnan(values)
    fraud = rows.fraud > 0
    n_frauds = int(fraud.sum())
    if n_frauds == 0:
        return None
    best: tuple[int, float | None] = (0, None)
    if not known.all() and known.any() and not (known & ~fraud).any():
        best = (int((known & fraud).sum()), None)
    # The tail of a number may hold only frauds by chance, so numbers must have few values.
    flag = _is_flag(values)
    if column.categorical or (column.named_by_user and flag):
        found, code = np.unique(values[known], return_inverse=True)
        code = code.reshape(-1)
        frauds = np.bincount(code, fraud[known], minlength=found.size)
        alone = np.bincount(code, ~fraud[known], minlength=found.size) == 0
        if alone.any():
            top = int(np.argmax(np.where(alone, frauds, 0)))
            best = max(best, (int(frauds[top]), float(found[top])), key=lambda b: b[0])
    count, value = best
    rate = float(np.sum(rows.weight * rows.fraud) / np.sum(rows.weight))
    if count < _LEAST or rate**count > _CHANCE:
        return None
    if column.genuine_with is not None and column.genuine_with(value):
        return None
    there = (known if value is None else values == value) & fraud
    slices = np.bincount(rows.slices, there, minlength=rows.n_slices)
    return Pure(value is None, flag, count, count / n_frauds, bool((slices > 0).all()))


def _is_flag(values: Float64) -> bool:
    for part in (values[:1_000], values):
        if np.unique(part[~np.isnan(part)]).size > FLAG_VALUES:
            return False
    return True
