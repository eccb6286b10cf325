"""Parquet files, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.files.chunk import Chunk, SourceUnreadable


class ParquetSource:
    """A Parquet file."""

    def __init__(self, path: Path, rows_per_chunk: int) -> None:
        self._path = path
        self._rows_per_chunk = rows_per_chunk
        self._file = self._open()

    def names(self) -> list[str]:
        names = list(self._file.schema_arrow.names)
        repeated = {n for n in names if names.count(n) > 1}
        if repeated:
            raise SourceUnreadable(
                f"{self._path}: column {min(repeated)} appears twice: rename one of them"
            )
        return names

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        total = self._file.metadata.num_rows
        end = total if limit is None else min(limit, total)
        groups, start = self._groups_after(skip)
        try:
            for batch in self._file.iter_batches(self._rows_per_chunk, groups, sorted(columns)):
                lower, upper = max(skip, start), min(start + batch.num_rows, end)
                if lower < upper:
                    yield _numbered(batch.slice(lower - start, upper - lower), lower, total)
                start += batch.num_rows
                if start >= end:
                    return
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"{self._path}: damaged after row {start}: {error}") from None

    def _open(self) -> pq.ParquetFile:
        try:
            # With memory_map a file of gigabytes would count as this process's memory.
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"{self._path}: not a Parquet file: {error}") from None

    def _groups_after(self, skip: int) -> tuple[list[int], int]:
        """The row groups with rows after the first `skip`, and the rows before those groups."""
        meta, start = self._file.metadata, 0
        for i in range(meta.num_row_groups):
            rows = meta.row_group(i).num_rows
            if start + rows > skip:
                return list(range(i, meta.num_row_groups)), start
            start += rows
        return [], start


def _numbered(batch: pa.RecordBatch, start: int, total: int) -> Chunk:
    done = start + batch.num_rows
    numbers = np.arange(start + 1, done + 1, dtype=np.int64)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    return Chunk(numbers, numbers, columns, [], done, done / total)
