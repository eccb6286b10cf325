"""From window aggregates to the feature matrix: pure maths, the same code in training and serving.

The loop over the declared families; what each of them computes is in `families/`. A row comes out
with the same bits whatever batch it travels in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from features.cases import cases_of
from features.declaration import Family
from features.definitions import FAMILIES
from features.families.rows import Rows
from features.tiles import WindowAggregates
from fraud.batch import Float32, TransactionBatch


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
    known = cases_of(rows, aggregates)
    n_features = sum(len(family.features) for family in families)
    values = np.full((len(batch), n_features), np.nan, dtype=np.float32)
    stop = 0
    for family in families:
        start, stop = stop, stop + len(family.features)
        if family.role is None:
            family.columns(values[:, start:stop], rows)
        elif family.role in known:
            family.columns(values, start, known[family.role])
    values[np.isinf(values)] = np.nan  # what was divided by nothing says nothing
    return values
