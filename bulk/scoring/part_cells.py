"""The cells of a part, each column read once, however many models take it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from bulk.scoring.cell_values import CodedTexts, code_cells, coded_texts, number_cells
from data.layout.fields import TimeField
from data.rows.timestamps import read_timestamps
from fraud.payment.batch import Float32, Float64


class PartCells:
    """n rows of a file.

    Args:
        columns: name -> n cells, of those that are needed.
        rows: n.
        decimal, missing: how the file writes numbers and missing values.
    """

    def __init__(
        self, columns: Mapping[str, pa.Array], rows: int, decimal: str, missing: Sequence[str]
    ) -> None:
        self._columns = columns
        self._rows = rows
        self._decimal = decimal
        self._missing = frozenset(missing)
        self._numbers: dict[tuple[str, frozenset[str]], Float64] = {}
        self._codes: dict[tuple[str, frozenset[str], frozenset[str]], Float32] = {}

    def __len__(self) -> int:
        return self._rows

    def __contains__(self, name: str | None) -> bool:
        return name in self._columns

    def numbers(self, name: str, missing: Collection[str] = ()) -> Float64:
        """float64[n]: see `number_cells`. It is shared: do not change it.

        Args:
            missing: texts that mean a missing value, besides those of the file.
        """
        markers = self._missing.union(missing)
        found = self._numbers.get((name, markers))
        if found is None:
            found = number_cells(self._columns[name], self._decimal, markers)
            self._numbers[name, markers] = found
        return found

    def codes(
        self, name: str, missing: Collection[str] = (), known: Collection[str] = ()
    ) -> Float32:
        """float32[n]: see `code_cells`. It is shared: do not change it.

        Args:
            missing: texts that mean a missing value; (): those of the file.
            known: see `code_cells`.
        """
        markers, categories = frozenset(missing) or self._missing, frozenset(known)
        key = (name, markers, categories)
        if key not in self._codes:
            self._codes[key] = code_cells(self._columns[name], markers, categories)
        return self._codes[key]

    def epoch_s(self, name: str, time_format: str) -> Float64:
        """float64[n]: the times of a column as seconds since 1970, NaN where there is none.

        Args:
            time_format: `iso` or a strptime pattern: see `ColumnProfile`.
        """
        pattern = None if time_format in ("", "iso") else time_format
        field = TimeField(columns=(name,), format=pattern, missing=self._missing)
        rows = np.arange(1, self._rows + 1)
        found = read_timestamps({name: self._columns[name]}, rows, field)
        return np.where(found.known, found.at_ms / 1000.0, np.nan)

    def texts(self, name: str) -> CodedTexts:
        """The trimmed texts of a column: see `coded_texts`."""
        return coded_texts(self._columns[name], self._missing)


def cells_of(
    table: pa.Table, names: Collection[str], decimal: str, missing: Sequence[str]
) -> PartCells:
    """Return the cells of the columns `names` that a table has."""
    columns = {name: _joined(table.column(name)) for name in table.column_names if name in names}
    return PartCells(columns, table.num_rows, decimal, missing)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    # Columns of dictionaries, and empty ones, stay in chunks.
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
