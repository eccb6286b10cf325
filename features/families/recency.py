"""How long ago an entity was last seen, and by whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.entities import CUSTOMER
from features.families.history import History, elapsed
from features.families.rows import Rows
from fraud.batch import Float64


def last(rows: Rows, history: History) -> Float64:
    """float64[n, 1]: seconds since the entity's newest payment."""
    return elapsed(history.seen.since_ms)[:, None]


def partners(rows: Rows, customer: History) -> Float64:
    """float64[n, 2 * n_tables]: for each kind of partner of a customer, whether this one is new,
    and seconds since they last met; NaN where the payment names none."""
    block = np.empty((len(rows), 2 * len(CUSTOMER.tables)))
    since_s = block[:, 1::2]
    for i, table in enumerate(CUSTOMER.tables):
        since_s[:, i] = customer.seen.partner_since_s[table.partner]
    block[:, 0::2] = since_s < 0
    since_s[:] = elapsed(since_s, 1.0)
    for i, table in enumerate(CUSTOMER.tables):
        if (unnamed := _unnamed(getattr(rows.batch, table.column))) is not None:
            block[unnamed, 2 * i : 2 * i + 2] = np.nan
    return block


def _unnamed(ids: list[str | None]) -> NDArray[np.bool_] | None:
    return np.array([v is None for v in ids], dtype=np.bool_) if None in ids else None
