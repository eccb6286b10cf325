"""A column of numbers over all chunks of a file, and the cells that are not numbers."""

from __future__ import annotations

import numpy as np

from data.cells.numbers import Float64, NumberStyle, numbers
from data.files.chunk import Chunk
from data.layout.mapping import MostlyUnreadable
from data.rows.cell_examples import CellExamples


class NumberColumn:
    """Reads one numeric column chunk by chunk.

    The first unit in a column is the unit of all its numbers. Numbers with another one are not
    read: years among months, or plain numbers among percentages.
    """

    def __init__(self, name: str, style: NumberStyle) -> None:
        self._name = name
        self._style = style
        self._unit: str | None = None
        self._unreadable = CellExamples()
        self._filled = 0

    def read(self, chunk: Chunk) -> Float64:
        """Return float64[n], NaN where the cell is not a number."""
        cells = chunk.columns[self._name]
        found = numbers(cells, self._style)
        known = found.known.copy()
        if self._unit is None and found.marks:
            self._unit = found.marks[min(found.marks)]
        for place, mark in found.marks.items():
            known[place] = mark == self._unit
        if self._unit == "%":
            known &= found.marked
        self._filled += int(found.present.sum())
        self._unreadable.add(found.present & ~known, cells, chunk.lines)
        return np.where(known, found.value, np.nan)

    def check(self, where: str) -> str | None:
        """Return a warning about cells that are not numbers and count as unknown, None if all are.

        Args:
            where: the layout and the key, for the message.

        Raises:
            MostlyUnreadable: more than half of the cells that are not empty are not numbers.
        """
        count = self._unreadable.count
        if not count:
            return None
        warning = (
            f"{where}: {count:,} of {self._filled:,} cells of column {self._name} are not numbers,"
            f" such as {self._unreadable}"
        )
        if 2 * count > self._filled:
            raise MostlyUnreadable(f"{warning}; is it categorical?")
        return warning
