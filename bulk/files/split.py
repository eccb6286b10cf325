"""The whole file as parts: Parquet files of `ROWS_PER_PART` rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bulk.files.refused import FileRefused
from bulk.files.upload import Upload
from bulk.jobs.file_read import FileRead
from bulk.jobs.paths import LINE, ROW, ROWS_PER_PART, JobPaths
from bulk.output.error_file import ERROR_SCHEMA, error_table
from data.files.chunk import Chunk
from stores.whole_file import whole_file

_PART_BYTES: Final = 1 << 28
"""A part of longer rows is written at about this size, with fewer of them."""


def split_upload(
    upload: Upload,
    paths: JobPaths,
    *,
    progress: Callable[[int], None],
    add: Callable[[Mapping[str, pa.Array]], None],
) -> FileRead:
    """Write all rows of a file as parts, and those that cannot be read as errors.

    Repeating it writes the same files. Memory is that of one part, whatever the size of the file.

    Args:
        upload: the file.
        paths: where the parts and errors go.
        progress: called with the rows read so far, after every chunk of about a megabyte.
        add: called with the columns of each part, without `ROW` and `LINE`.

    Raises:
        FileRefused: the file is damaged, has a cell or line that is too long, or no readable row.
    """
    parts = _Parts(paths, add)
    failed = total = 0
    with whole_file(paths.errors) as made, pq.ParquetWriter(made, ERROR_SCHEMA) as errors:
        for chunk in upload.table.chunks():
            parts.take(chunk)
            if chunk.bad:
                bad = [(b.row, b.line, b.field, b.code, b.detail) for b in chunk.bad]
                errors.write_table(error_table(bad))
            failed += len(chunk.bad)
            total = chunk.rows_done
            progress(total)
        parts.end()
        if not parts.rows:
            raise FileRefused("no-rows", f"none of the {total:,} rows of the file can be read")
    return FileRead(total, failed, tuple(parts.rows))


class _Parts:
    """Rows that become parts.

    Attributes:
        rows: rows of each part that was written.
    """

    def __init__(self, paths: JobPaths, add: Callable[[Mapping[str, pa.Array]], None]) -> None:
        self._paths = paths
        self._add = add
        self._waiting: list[pa.Table] = []
        self._count = self._bytes = 0
        self.rows: list[int] = []

    def take(self, chunk: Chunk) -> None:
        """Take rows, and write the parts that are full."""
        columns = {ROW: pa.array(chunk.rows), LINE: pa.array(chunk.lines), **chunk.columns}
        self._waiting.append(pa.table(columns))
        self._count += len(chunk.rows)
        self._bytes += self._waiting[-1].nbytes
        if self._bytes > _PART_BYTES:
            self.end()
        while self._count >= ROWS_PER_PART:
            waiting = pa.concat_tables(self._waiting)
            self._write(waiting[:ROWS_PER_PART])
            self._waiting = [waiting[ROWS_PER_PART:]]
            self._count -= ROWS_PER_PART
            self._bytes = self._waiting[0].nbytes

    def end(self) -> None:
        """Write what is left."""
        if self._count:
            self._write(pa.concat_tables(self._waiting))
        self._waiting, self._count, self._bytes = [], 0, 0

    def _write(self, table: pa.Table) -> None:
        table = table.combine_chunks()
        with whole_file(self._paths.part(len(self.rows))) as made:
            pq.write_table(table, made, compression="lz4", use_dictionary=False)
        self.rows.append(table.num_rows)
        names = table.column_names[2:]
        self._add({name: table.column(name).combine_chunks() for name in names})
