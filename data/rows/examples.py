"""A few cells that could not be read, to be shown to whose file it is."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_SHOWN = 3
_MAX_CHARS = 40
_CARD = re.compile(r"\d(?:[ -]?\d){8,}")


class Examples:
    """Counts cells, and keeps the first different ones with their lines.

    Attributes:
        count: cells in all.
    """

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[str, int] = {}

    def add(self, where: NDArray[np.bool_], cells: pa.Array, lines: NDArray[np.int64]) -> None:
        """Cells at `where` (bool[n]) of n, and the lines that they are on."""
        places = np.flatnonzero(where)
        self.count += len(places)
        for place in places.tolist():
            if len(self._kept) == _SHOWN:
                return
            self._kept.setdefault(shown(cells[place].as_py()), int(lines[place]))

    def __str__(self) -> str:
        return ", ".join(f"{text} (line {line})" for text, line in self._kept.items())


def shown(value: object) -> str:
    """A cell for a message: cut off, and without what may be the number of a card.

    >>> shown("$ sixty"), shown("4111 1111 1111 1111x")
    ("'$ sixty'", "'#x'")
    """
    text = str(value)
    return repr(_CARD.sub("#", text[:_MAX_CHARS]) + ("..." if len(text) > _MAX_CHARS else ""))
