"""Counts of one column that are kept while a table is read chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import Bool, are_missing, texts, trimmed

MOST_DISTINCT = 1_000
"""Distinct values that are counted one by one. A column with more is no category."""

LONGEST_CATEGORY = 100
"""A longer text is no category; it is counted by its beginning."""


class ColumnTally:
    """Rows, filled rows and distinct texts of a column.

    Attributes:
        rows, filled: exact.
        counts: canonical text -> rows; None if there are more than `MOST_DISTINCT`, or if cells
            cannot be compared, as lists and structures.

    Args:
        missing: texts that mean a missing value; an empty cell always does.
    """

    def __init__(self, missing: Collection[str]) -> None:
        self._missing = frozenset(missing)
        self.rows = 0
        self.filled = 0
        self.counts: Counter[str] | None = Counter()

    def add(self, cells: pa.Array) -> None:
        """Count the cells of the next rows, as `references.profile.plain` gives them."""
        self.rows += len(cells)
        if pa.types.is_string(cells.type):
            self._add_texts(cells)
        else:
            self._add_values(cells)

    def _add_texts(self, cells: pa.Array) -> None:
        plain = trimmed(cells)
        absent = are_missing(plain, self._missing).to_numpy(zero_copy_only=False)
        self.filled += len(cells) - int(np.count_nonzero(absent | ~_valid(plain)))
        self._count(plain)

    def _add_values(self, cells: pa.Array) -> None:
        if _is_number(cells.type):
            wide = cells.cast(pa.float64(), safe=False)
            present = numbers(wide, NumberStyle(missing=self._missing)).present
            self.filled += int(np.count_nonzero(present))
        elif pa.types.is_null(cells.type):
            return
        elif pa.types.is_boolean(cells.type) or pa.types.is_temporal(cells.type):
            self.filled += len(cells) - cells.null_count
        else:
            found = texts(cells, self._missing)
            self.filled += int(np.count_nonzero(_valid(found.values) | found.unreadable))
        self._count(cells)

    def _count(self, cells: pa.Array) -> None:
        """Count distinct cells; their texts are made once for each distinct one."""
        if self.counts is None:
            return
        try:
            counted = pc.value_counts(cells)
        except pa.ArrowNotImplementedError:
            # Lists and structures have no texts either: the profile says that rows are filled, and
            # that nothing is known of how they differ.
            self.counts = None
            return
        if len(counted) > 2 * MOST_DISTINCT:
            self.counts = None
            return
        found = texts(counted.field(0), self._missing).values
        short = pc.utf8_slice_codeunits(found, 0, LONGEST_CATEGORY)
        for text, rows in zip(short.to_pylist(), counted.field(1).to_pylist(), strict=True):
            if text is not None:
                self.counts[text] += rows
        if len(self.counts) > MOST_DISTINCT:
            self.counts = None


def _valid(cells: pa.Array) -> Bool:
    valid: Bool = cells.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
