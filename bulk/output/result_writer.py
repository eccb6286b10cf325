"""The result of a job as Parquet, whole or absent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_WRITING = ".writing"


class ResultWriter:
    """Writes a result part by part under another name, and renames it at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = path.with_name(path.name + _WRITING)
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table, columns: Mapping[str, pa.Array]) -> None:
        """Append rows: the columns of the file, then others of the same length."""
        for name, values in columns.items():
            table = table.append_column(name, values)
        if self._writer is None:
            self._writer = pq.ParquetWriter(str(self._made), table.schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def commit(self) -> None:
        """Give the file its name, once the disk has it."""
        if self._writer is not None:
            self._writer.close()
        with self._made.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self._made, self._path)
