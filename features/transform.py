"""From window aggregates to the feature matrix: pure maths, the same code in training and serving.

The loop over the declared families; what each of them computes is in `families/`. A row comes out
with the same bits whatever batch it travels in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from features.declaration import Family
from features.definitions import FAMILIES
from features.entities import ROLES
from features.families.history import History, histories
from features.families.rows import Rows
from features.tiles import WindowAggregates
from fraud.batch import Float32, TransactionBatch

PLACES = {
    role.name: {window.name: i for i, window in enumerate(role.entity.windows)} for role in ROLES
}
"""Role -> names of its entity's windows -> columns of its aggregates."""


def transform(
    batch: TransactionBatch,
    aggregates: Mapping[str, WindowAggregates],
    families: Sequence[Family] = FAMILIES,
) -> Float32:
    """float32[n, n_features] in the order of `families`, NaN where unknown.

    Args:
        batch: n transactions.
        aggregates: role -> what the state of its entity said before each transaction; one that no
            row names, or whose state nobody could read, may be left out.
        families: what to compute.
    """
    rows = Rows.of(batch)
    ends = list(accumulate(len(family.features) for family in families))
    values = np.full((len(rows), ends[-1]), np.nan, dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        known = histories(PLACES, aggregates)
        for family, end in zip(families, ends, strict=True):
            needed = [known[role] for role in family.needs if role in known]
            if len(needed) == len(family.needs):
                _fill(values[:, end - len(family.features) : end], family, rows, needed)
    values[np.isinf(values)] = np.nan  # what was divided by nothing says nothing
    return values


def _fill(block: Float32, family: Family, rows: Rows, histories: Sequence[History]) -> None:
    block[:] = family.columns(rows, *histories)
    for history in histories:
        if history.absent is not None:
            block[history.absent] = np.nan
