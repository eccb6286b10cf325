"""From window aggregates to the feature matrix: pure maths, the same code in training and serving.

The loop over the declared families; what each of them computes is in `families/`. A row comes out
with the same bits whatever batch it travels in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from features.declaration import Family
from features.definitions import FAMILIES
from features.entities import ROLES
from features.families.history import History, histories
from features.families.rows import Rows
from features.tiles import WindowAggregates
from fraud.batch import Float32, Float64, TransactionBatch

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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        known = histories(PLACES, aggregates)
        unknown = np.full((len(rows), max(len(f.features) for f in families)), np.nan)
        blocks = [_block(family, rows, known, unknown) for family in families]
        values: Float32 = np.concatenate(blocks, axis=1, dtype=np.float32, casting="same_kind")
    _hide(values, families, known)
    values[np.isinf(values)] = np.nan  # what was divided by nothing says nothing
    return values


def _block(family: Family, rows: Rows, known: Mapping[str, History], unknown: Float64) -> Float64:
    """float64[n, k]: the features of one family; `unknown` where a state is missing."""
    needed = [known[role] for role in family.needs if role in known]
    if len(needed) < len(family.needs):
        return unknown[:, : len(family.features)]
    return family.columns(rows, *needed)


def _hide(values: Float32, families: Sequence[Family], known: Mapping[str, History]) -> None:
    """What a family says of rows whose state is not there is not known."""
    absent = {role: h.absent for role, h in known.items() if h.absent is not None}
    if not absent:
        return
    stop = 0
    for family in families:
        start, stop = stop, stop + len(family.features)
        for role in family.needs:
            if role in absent:
                values[absent[role], start:stop] = np.nan
