"""Some of many rows, evenly spread."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pyarrow as pa

Rows = TypeVar("Rows", pa.Array, pa.Table)


def thinned(rows: Rows, most: int) -> Rows:
    """Return at most `most` rows or cells, evenly spread from the first to the last, in their
    order."""
    if len(rows) <= most:
        return rows
    return rows.take(pa.array(np.linspace(0, len(rows) - 1, most).astype(np.int64)))
