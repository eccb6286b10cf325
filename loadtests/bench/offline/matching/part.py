"""A part of a labelled table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

MOST_ROWS = 40_000
"""Rows of a part that are used: enough for its profile and a quick model."""


Made = dict[str, object]
"""Name of a column -> its n values."""


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


def made_parts(
    makers: Mapping[str, Callable[[int, Generator], Made]], n: int, rng: Generator
) -> Iterator[Part]:
    """Yield tables of n rows without labels, one of each maker; each is a family of its own."""
    for name, make in makers.items():
        columns = {column: pa.array(values) for column, values in make(n, rng).items()}
        yield Part(name, name, pa.table(columns), np.zeros(0, np.bool_), {})
