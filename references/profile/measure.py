"""Profiles of the columns of a table, read at once or chunk by chunk."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from data.cells.texts import DEFAULT_MISSING
from references.profile.column import ColumnProfile
from references.profile.describe import describe
from references.profile.draw import RowDraw
from references.profile.plain import plain
from references.profile.tally import ColumnTally

SAMPLE_ROWS = 10_000
"""Rows from which quantiles and kinds are found."""
_SAMPLE_CELLS = 2_000_000
_LEAST_ROWS = 500


def measure(
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
    *,
    decimal: str = ".",
    missing: Collection[str] = DEFAULT_MISSING,
) -> tuple[ColumnProfile, ...]:
    """Return the profiles of the columns of a table, in their order.

    Args:
        columns: name -> n values, texts or of any Arrow type.
        decimal: the decimal sign of numbers in texts.
        missing: texts that mean a missing value.
    """
    profiler = Profiler(decimal=decimal, missing=missing)
    profiler.add(columns)
    return profiler.profiles()


class Profiler:
    """Measures a table that is read chunk by chunk.

    Rows and filled rows are exact, distinct values up to a thousand, and shares of categories; all
    else comes from a sample of at most 10,000 rows. Memory does not grow with the table. The
    result does not depend on how it is cut into chunks.

    Args:
        decimal: the decimal sign of numbers in texts.
        missing: texts that mean a missing value.
        seed: another seed draws another sample.
    """

    def __init__(
        self,
        *,
        decimal: str = ".",
        missing: Collection[str] = DEFAULT_MISSING,
        seed: int = 0,
    ) -> None:
        self._decimal = decimal
        self._missing = frozenset(missing)
        self._seed = seed
        self._draw: RowDraw | None = None
        self._tallies: dict[str, ColumnTally] = {}

    def add(self, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
        """Measure the next rows: name -> values. Every chunk has the same columns.

        Raises:
            ValueError: the columns are not those of the first chunk.
        """
        if self._draw is None:
            rows = max(_LEAST_ROWS, min(SAMPLE_ROWS, _SAMPLE_CELLS // max(len(columns), 1)))
            self._draw = RowDraw(rows, self._seed)
            self._tallies = {name: ColumnTally(self._missing) for name in columns}
        if columns.keys() != self._tallies.keys():
            raise ValueError("columns: expected those of the first chunk")
        whole = {name: plain(cells) for name, cells in columns.items()}
        for name, cells in whole.items():
            self._tallies[name].add(cells)
        self._draw.add(whole)

    def profiles(self) -> tuple[ColumnProfile, ...]:
        """The profiles of everything that was added, in the order of the first chunk."""
        if self._draw is None:
            return ()
        sample = self._draw.rows()
        return tuple(
            describe(name, tally, plain(sample.column(name)), self._decimal, self._missing)
            for name, tally in self._tallies.items()
        )
