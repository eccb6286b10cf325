"""The rows of a file that could not be read, as a table and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.paths import ROW
from bulk.output.csv_file import csv_of

ERROR_SCHEMA: Final = pa.schema(
    [
        (ROW, pa.int64()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("code", pa.string()),
        ("reason", pa.string()),
    ]
)
"""Columns of `JobPaths.errors` and `JobPaths.replay_errors`."""

_COLUMNS: Final = ["line", "column", "reason"]
_ROWS: Final = 10_000


def error_table(rows: Sequence[tuple[int, int, str, str, str]]) -> pa.Table:
    """Return rows of `ERROR_SCHEMA` as a table."""
    columns = [pa.array([row[i] for row in rows], f.type) for i, f in enumerate(ERROR_SCHEMA)]
    return pa.Table.from_arrays(columns, schema=ERROR_SCHEMA)


def error_lines(parquet: Path) -> Iterator[bytes]:
    """Yield `JobPaths.errors` as CSV: the line of each bad row, its column if one is at fault, and
    the reason. It holds no cell of the file."""
    file = pq.ParquetFile(parquet)
    with file:
        batches = file.iter_batches(_ROWS, columns=_COLUMNS)
        yield from csv_of(_COLUMNS, (batch.select(_COLUMNS) for batch in batches))
