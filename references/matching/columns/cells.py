"""The cells of a file's sample and of a sketch, as numbers for a comparison."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.category_codes import category_codes
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import texts
from references.profile.plain import plain

Float64 = NDArray[np.float64]


class Cells:
    """At most `most` rows of a table, spread over it. Each column is read once.

    Args:
        rows: the table.
        decimal: the decimal sign of numbers in texts.
        missing: texts that mean a missing value.
        most: rows that are looked at, > 0.
    """

    def __init__(
        self, rows: pa.Table, *, decimal: str, missing: Collection[str], most: int = 2000
    ) -> None:
        self.size = min(rows.num_rows, most)
        places = np.linspace(0, max(rows.num_rows - 1, 0), self.size).round().astype(np.int64)
        self._rows = rows.take(pa.array(places))
        self._style = NumberStyle(decimal, missing=frozenset(missing), lenient=True)
        self._numbers: dict[str, tuple[Float64, float]] = {}
        self._codes: dict[str, Float64] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._rows.column_names

    def numbers(self, name: str) -> Float64:
        """float64[size]: a column as numbers, NaN where there is none."""
        return self._read(name)[0]

    def unreadable(self, name: str) -> float:
        """The share of filled cells that are not numbers, in [0, 1]."""
        return self._read(name)[1]

    def codes(self, name: str) -> Float64:
        """float64[size]: the codes of a column's texts, whatever their upper and lower case; NaN
        where there is none."""
        if name not in self._codes:
            found = texts(plain(self._rows.column(name)), self._style.missing).values.to_pylist()
            folded = [None if text is None else text.casefold() for text in found]
            self._codes[name] = category_codes(folded).astype(np.float64)
        return self._codes[name]

    def _read(self, name: str) -> tuple[Float64, float]:
        if name not in self._numbers:
            column = plain(self._rows.column(name))
            if pa.types.is_temporal(column.type):
                self._numbers[name] = np.full(self.size, np.nan), 1.0
            else:
                read = numbers(column, self._style)
                filled = max(int(read.present.sum()), 1)
                values = np.where(read.known, read.value, np.nan)
                self._numbers[name] = values, float(read.unreadable.sum()) / filled
        return self._numbers[name]
