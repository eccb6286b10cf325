"""Examples of unreadable cells for messages, without card numbers."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_SHOWN = 3
_MAX_CHARS = 40
_CARD = re.compile(r"\d(?:[ -]?\d){8,}")


class CellExamples:
    """Counts cells, and keeps the first distinct ones with their lines.

    Attributes:
        count: number of cells.
    """

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[str, int] = {}

    def add(self, where: NDArray[np.bool_], cells: pa.Array, lines: NDArray[np.int64]) -> None:
        """Add the cells `where` (bool[n]) of n, which are on `lines` (int64[n])."""
        places = np.flatnonzero(where)
        self.count += len(places)
        for place in places.tolist():
            if len(self._kept) == _SHOWN:
                return
            self._kept.setdefault(masked_cell(cells[place].as_py()), int(lines[place]))

    def __str__(self) -> str:
        return ", ".join(f"{text} (line {line})" for text, line in self._kept.items())


def masked_cell(value: object) -> str:
    """Return a cell for a message, cut off and without what may be a card number.

    >>> masked_cell("$ sixty"), masked_cell("4111 1111 1111 1111x")
    ("'$ sixty'", "'#x'")
    """
    text = str(value)
    return repr(_CARD.sub("#", text[:_MAX_CHARS]) + ("..." if len(text) > _MAX_CHARS else ""))
