"""One text of several columns: store 12 and terminal 3 are `12-3`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.texts import Markers, Texts, texts


def joint_texts(
    columns: Sequence[pa.Array], joint: str, missing: Markers, unique: bool = True
) -> Texts:
    """The columns' texts with `joint` between them; missing where all are, wrong where some are.

    Args:
        unique: a part that holds `joint` itself is wrong: `a-b` and `c` would be `a` and `b-c`.
    """
    if len(columns) == 1:
        return texts(columns[0], missing)
    parts = [texts(cells, missing) for cells in columns]
    absent = [pc.is_null(part.values).to_numpy(zero_copy_only=False) for part in parts]
    wrong = np.any([part.wrong for part in parts], axis=0)
    wrong |= np.any(absent, axis=0) & ~np.all(absent, axis=0)
    if unique:
        for part in parts:
            held = pc.match_substring(part.values, joint).fill_null(False)
            wrong |= held.to_numpy(zero_copy_only=False)
    values = pc.binary_join_element_wise(*(part.values for part in parts), pa.scalar(joint))
    return Texts(pc.if_else(pa.array(wrong), pa.scalar(None, pa.string()), values), wrong)
