"""A column of numbers from its first cell to its last: what could not be read, with examples."""

from __future__ import annotations

import numpy as np

from data.cells.numbers import Float64, NumberStyle, numbers
from data.files.chunk import Chunk
from data.layout.mapping import MostlyUnreadable
from data.rows.examples import Examples


class NumberColumn:
    """Reads one numeric column chunk by chunk.

    All numbers of a column go by the unit of the first one that has any: years among months, or
    percentages among numbers without a sign, are not read.
    """

    def __init__(self, name: str, style: NumberStyle) -> None:
        self._name = name
        self._style = style
        self._unit: str | None = None
        self._examples = Examples()
        self._filled = 0

    def read(self, chunk: Chunk) -> Float64:
        """float64[n], NaN where the cell is no number."""
        cells = chunk.columns[self._name]
        found = numbers(cells, self._style)
        known = found.known.copy()
        if self._unit is None and found.marks:
            self._unit = found.marks[min(found.marks)]
        for place, mark in found.marks.items():
            known[place] = mark == self._unit
        if self._unit == "%":
            known &= np.isin(np.arange(len(known)), list(found.marks))
        self._filled += int(found.there.sum())
        self._examples.add(found.there & ~known, cells, chunk.lines)
        return np.where(known, found.value, np.nan)

    def judged(self, where: str) -> str | None:
        """What is to be said of cells that are no numbers and count as unknown; None: all are.

        Raises:
            MostlyUnreadable: more than half of the cells that are there are no numbers.
        """
        wrong = self._examples.count
        if not wrong:
            return None
        sentence = (
            f"{where}: {wrong:,} of {self._filled:,} cells of column {self._name} are no numbers,"
            f" such as {self._examples}"
        )
        if 2 * wrong > self._filled:
            raise MostlyUnreadable(f"{sentence}; is it categorical?")
        return sentence
