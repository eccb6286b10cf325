"""From window aggregates to the feature matrix: pure maths, the same code in training and serving.

The loop over the declared families; what each of them computes is in `families/`. A row comes out
with the same bits whatever batch it travels in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from features.declaration import Family
from features.definitions import FAMILIES
from features.entities import COUNTERPARTY, CUSTOMER, DEVICE, MERCHANT
from features.families.history import History
from features.families.rows import Rows
from features.tiles import WindowAggregates
from features.windows import FLOW_WINDOWS
from fraud.batch import Float32, TransactionBatch

_WINDOWS = {entity.name: entity.windows for entity in (CUSTOMER, MERCHANT, DEVICE, COUNTERPARTY)}
_WINDOWS |= {"payer": FLOW_WINDOWS, "payee": FLOW_WINDOWS}


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
    histories = {role: History(_WINDOWS[role], seen) for role, seen in aggregates.items()}
    values = np.full((len(rows), sum(len(f.features) for f in families)), np.nan, dtype=np.float32)
    stop = 0
    for family in families:
        start, stop = stop, stop + len(family.features)
        if not all(role in histories for role in family.needs):
            continue
        needed = [histories[role] for role in family.needs]
        values[:, start:stop] = family.columns(rows, *needed)
        for history in needed:
            if history.absent is not None:
                values[history.absent, start:stop] = np.nan
    return values
