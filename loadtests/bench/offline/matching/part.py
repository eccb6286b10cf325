"""A part of a labelled table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MOST_ROWS = 40_000
"""Rows of a part that are used: enough for its profile and a quick model."""


@dataclass(frozen=True)
class Part:
    """A part of a table, in the order of time.

    Attributes:
        name: such as `handbook-april`.
        family: parts of one family come from one source.
        table: the columns without the label.
        label: bool[n]; () if there is none.
        fields: field of a payment -> column, for models of history; {} if it has no customers.
    """

    name: str
    family: str
    table: pa.Table
    label: NDArray[np.bool_]
    fields: dict[str, str]

    def thinned(self, most: int = MOST_ROWS) -> Part:
        """At most so many consecutive rows from the middle: histories stay whole."""
        extra = max(self.table.num_rows - most, 0) // 2
        rows = slice(extra, extra + most)
        table = self.table.slice(extra, most).combine_chunks()
        return Part(self.name, self.family, table, self.label[rows], self.fields)
