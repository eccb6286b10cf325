"""The result of a job as Parquet, whole or absent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

_WRITING = ".writing"


class ResultWriter:
    """Writes a result part by part under another name, which `commit` changes to the right one.

    Use it as a context: what is not committed is removed at its end.

    Args:
        path: of the result.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Two processes that believe to hold a job must not write into the same file.
        self._made = path.with_name(f"{path.name}.{uuid4().hex}{_WRITING}")
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._made.unlink(missing_ok=True)

    def add(self, table: pa.Table, columns: Mapping[str, pa.Array]) -> None:
        """Append rows: the columns of the file, then others of the same length.

        All parts have the same columns in the same order.
        """
        for name, values in columns.items():
            table = table.append_column(name, values)
        if self._writer is None:
            for left in self._path.parent.glob(f"{self._path.name}.*{_WRITING}"):
                left.unlink(missing_ok=True)  # by a writer that was killed
            self._writer = pq.ParquetWriter(str(self._made), table.schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def commit(self) -> None:
        """Give the file its name, once the disk has it. There is at least one part."""
        self._close()
        with self._made.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self._made, self._path)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
