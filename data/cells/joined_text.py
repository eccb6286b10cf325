"""One text from several columns: store 12 and terminal 3 are `12-3`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.texts import Markers, Texts, texts


def joined_texts(
    columns: Sequence[pa.Array], separator: str, missing: Markers, unique: bool = True
) -> Texts:
    """Join the texts of each row. A row is missing if all parts are, and unreadable if some are.

    Args:
        unique: a part that holds the separator is unreadable: `a-b` and `c` would be the same as
            `a` and `b-c`.
    """
    if len(columns) == 1:
        return texts(columns[0], missing)
    parts = [texts(cells, missing) for cells in columns]
    absent = [pc.is_null(part.values).to_numpy(zero_copy_only=False) for part in parts]
    unreadable = np.any([part.unreadable for part in parts], axis=0)
    unreadable |= np.any(absent, axis=0) & ~np.all(absent, axis=0)
    if unique:
        for part in parts:
            held = pc.match_substring(part.values, separator).fill_null(False)
            unreadable |= held.to_numpy(zero_copy_only=False)
    values = pc.binary_join_element_wise(*(part.values for part in parts), pa.scalar(separator))
    none = pa.scalar(None, pa.string())
    return Texts(pc.if_else(pa.array(unreadable), none, values), unreadable)
