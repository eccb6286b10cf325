"""A random sample of a table's rows that depends only on the number of each row.

Every row gets a priority, a hash of its number (SplitMix64: Steele, Lea and Flood 2014), and the
rows of the smallest priorities stay. So each set of rows is as likely as any other (bottom-k
sampling), the result does not depend on how the table is cut into chunks, and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.texts import texts
from references.profile.plain import plain

LONGEST_TEXT = 200
"""Letters of a text that are kept: a cell of a megabyte says no more about its column."""

_GOLDEN = 0x9E3779B97F4A7C15
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def priorities(first: int, n: int, seed: int = 0) -> NDArray[np.uint64]:
    """uint64[n]: the priorities of rows `first`, `first` + 1, ...; rows count from 0."""
    with np.errstate(over="ignore"):
        rows = np.arange(first, first + n, dtype=np.uint64) + np.uint64(1)
        mixed = (rows ^ np.uint64(seed << 32)) * np.uint64(_GOLDEN)
        for shift, factor in _MIX:
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return mixed ^ (mixed >> np.uint64(31))


class RowDraw:
    """At most `size` rows of a table that is read chunk by chunk, in the order of the table.

    Args:
        size: of the sample, > 0.
        seed: another seed draws other rows.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size = size
        self._seed = seed
        self._rows_seen = 0
        self._highest: np.uint64 | None = None
        self._priority = np.zeros(0, np.uint64)
        self._kept: pa.Table | None = None

    @property
    def rows_seen(self) -> int:
        """Rows of the table so far."""
        return self._rows_seen

    def add(self, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
        """Look at the next rows: name -> values, as many in each column."""
        n = len(next(iter(columns.values()))) if columns else 0
        priority = priorities(self._rows_seen, n, self._seed)
        self._rows_seen += n
        places = np.arange(n)
        if self._highest is not None:
            places = np.flatnonzero(priority < self._highest)
        if places.size > self._size:
            places = np.sort(np.argpartition(priority, self._size - 1)[: self._size])
        taken = {name: _taken(cells, places) for name, cells in columns.items()}
        fresh = pa.table(taken) if taken else pa.table({})
        self._kept = fresh if self._kept is None else _joined(self._kept, fresh)
        self._priority = np.concatenate([self._priority, priority[places]])
        if self._priority.size > 2 * self._size:
            self._shrink()

    def rows(self) -> pa.Table:
        """The sample."""
        self._shrink()
        return pa.table({}) if self._kept is None else self._kept

    def _shrink(self) -> None:
        if self._kept is None or self._priority.size <= self._size:
            return
        best = np.sort(np.argpartition(self._priority, self._size - 1)[: self._size])
        self._priority = self._priority[best]
        self._highest = self._priority.max()
        self._kept = self._kept.take(pa.array(best)).combine_chunks()


def _taken(cells: pa.Array | pa.ChunkedArray, places: NDArray[np.int64]) -> pa.Array:
    taken = plain(cells).take(pa.array(places))
    if pa.types.is_binary(taken.type) or pa.types.is_fixed_size_binary(taken.type):
        taken = texts(taken).values
    if pa.types.is_string(taken.type):
        return pc.utf8_slice_codeunits(taken, 0, LONGEST_TEXT)
    return taken


def _joined(kept: pa.Table, fresh: pa.Table) -> pa.Table:
    """The rows of both. A column whose chunks have different types becomes one of texts."""
    for place, name in enumerate(kept.column_names):
        if kept.schema.field(place).type != fresh.schema.field(name).type:
            kept = kept.set_column(place, name, kept.column(place).cast(pa.string()))
            at = fresh.schema.get_field_index(name)
            fresh = fresh.set_column(at, name, fresh.column(at).cast(pa.string()))
    return pa.concat_tables([kept, fresh.select(kept.column_names)])
