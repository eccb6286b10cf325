"""The rows of a file that could not be read, as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from bulk.output.csv_file import csv_of

_COLUMNS: Final = ["line", "column", "reason"]
_ROWS: Final = 10_000


def error_lines(parquet: Path) -> Iterator[bytes]:
    """Yield `JobPaths.errors` as CSV: the line of each bad row, its column if one is at fault, and
    the reason. It holds no cell of the file."""
    file = pq.ParquetFile(parquet)
    with file:
        batches = file.iter_batches(_ROWS, columns=_COLUMNS)
        yield from csv_of(_COLUMNS, (batch.select(_COLUMNS) for batch in batches))
