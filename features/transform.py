"""From readings of states to the feature matrix: pure maths, the same in training and serving.

The loop over the declared families, each of which is computed in `families/`. A row gets the same
bits in any batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np

from features.declaration import Family
from features.definitions import FAMILIES
from features.families.rows import Rows
from features.state.compiled import machine_code
from features.state.reading import Reading
from features.views import views_of
from fraud.payment.batch import Float32, TransactionBatch


def transform(
    batch: TransactionBatch,
    reading: Reading,
    families: Sequence[Family] = FAMILIES,
) -> Float32:
    """float32[n, n_features] in the order of `families`, NaN where unknown.

    Args:
        batch: n transactions.
        reading: of the states of their entities before each transaction.
        families: to compute.
    """
    rows = Rows.of(batch)
    n_features, starts = _starts(tuple(families))
    values = np.full((len(batch), n_features), np.nan, dtype=np.float32)
    for family, start in starts:
        if family.role is None:
            family.columns(values[:, start : start + len(family.features)], rows)
    known = views_of(rows, reading)
    if known:
        for role, columns, start in _over_history(tuple(families)):
            if role in known:
                columns(values, start, known[role])
    values[np.isinf(values)] = np.nan  # divided by zero: unknown
    return values


@lru_cache(maxsize=8)
def _starts(families: tuple[Family, ...]) -> tuple[int, list[tuple[Family, int]]]:
    """The number of features; each family with its first column."""
    stops = list(accumulate(len(family.features) for family in families))
    return stops[-1], list(zip(families, [0, *stops], strict=False))


@lru_cache(maxsize=8)
def _over_history(families: tuple[Family, ...]) -> list[tuple[str, Callable[..., None], int]]:
    """Role, function and first column of each family over a state."""
    return [
        (family.role, machine_code(family.columns), start)
        for family, start in _starts(families)[1]
        if family.role is not None
    ]
