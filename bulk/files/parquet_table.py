"""A Parquet file of a job: its columns, and its rows in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bulk.files.refused import FileRefused
from data.cells.texts import without_dictionary
from data.files.chunk import Chunk

MAX_CELL: Final = 1 << 20
"""Bytes of the longest cell."""

_MAX_CHUNK: Final = 1 << 30
"""Bytes of the largest column of a row group, unpacked: a reader holds all of it."""

_MAX_BATCH: Final = 1 << 28
"""Bytes of the largest batch of rows, decoded."""

_BATCH_ROWS: Final = 10_000
_DAMAGED: Final = "the Parquet file is damaged"


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file.

    Args:
        path: of the file.
        max_bytes: most bytes that it may unpack to.
    """

    path: Path
    max_bytes: int

    @cached_property
    def schema(self) -> pa.Schema:
        """Names and types of the columns. A dictionary has the type of its values.

        Raises:
            FileRefused: it is damaged, or encrypted.
        """
        with self._open() as file:
            return pa.schema([(f.name, _plain_type(f.type)) for f in file.schema_arrow])

    @cached_property
    def row_count(self) -> int:
        """Rows that the file says it has."""
        with self._open() as file:
            return int(file.metadata.num_rows)

    def check(self) -> None:
        """Check what the file says of itself, before anything of it is unpacked.

        Raises:
            FileRefused: it is too large unpacked, or a column is nested or too wide.
        """
        with self._open() as file:
            meta = file.metadata
            sizes = [
                meta.row_group(g).column(c).total_uncompressed_size
                for g in range(meta.num_row_groups)
                for c in range(meta.num_columns)
            ]
            rows = meta.num_rows * meta.num_columns
        # One value that is repeated a billion times takes a few bytes in the file.
        if sum(sizes) > self.max_bytes or rows > self.max_bytes:
            raise FileRefused(
                "too-large", f"the file unpacks to more than {self.max_bytes:,} bytes"
            )
        if max(sizes, default=0) > _MAX_CHUNK:
            raise FileRefused(
                "bomb",
                f"a column of a row group unpacks to more than {_MAX_CHUNK:,} bytes: write smaller"
                " row groups",
            )
        for field in self.schema:
            if pa.types.is_nested(_stored_type(field.type)):
                raise FileRefused(
                    "nested-column",
                    f"the cells of column {field.name} are lists, maps or structures",
                    field.name,
                )
            if _width(field.type) > MAX_CELL:
                raise _long_cell(field.name)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows in the order of the file, with their own types.

        Raises:
            FileRefused: the file is damaged, or a cell is too long or no text.
        """
        done, total = 0, max(self.row_count, 1)
        for batch in self._batches(None):
            numbers = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
            done += batch.num_rows
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            yield Chunk(numbers, numbers, columns, [], done, min(done / total, 1.0))

    def first_rows(self, group: int, rows: int, max_bytes: int) -> pa.Table:
        """Return the first rows of a row group; fewer, if they would take more bytes than that and
        a batch."""
        taken: list[pa.RecordBatch] = []
        count = size = 0
        for batch in self._batches([group]):
            taken.append(batch)
            count, size = count + batch.num_rows, size + batch.nbytes
            if count >= rows or size >= max_bytes:
                break
        return pa.Table.from_batches(taken, self.schema)[:rows]

    def group_rows(self) -> list[int]:
        """Return the number of rows of each row group."""
        with self._open() as file:
            meta = file.metadata
            return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def _batches(self, groups: list[int] | None) -> Iterator[pa.RecordBatch]:
        """Yield batches whose texts are no longer than allowed.

        Texts are read as dictionaries: so a long one that every row repeats is seen before it is
        repeated in memory.
        """
        texts = [field.name for field in self.schema if _is_text(field.type)]
        width = sum(_width(field.type) for field in self.schema)
        rows = max(1, min(_BATCH_ROWS, _MAX_BATCH // max(width, 1)))
        try:
            with self._open(texts) as file:
                chosen = range(file.num_row_groups) if groups is None else groups
                for batch in file.iter_batches(rows, row_groups=list(chosen)):
                    yield self._plain(batch)
        except (pa.ArrowException, OSError):
            raise FileRefused("damaged", _DAMAGED) from None

    def _plain(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        size = 0
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            lengths = _lengths(cells)
            if lengths is None:
                continue
            size += int(pc.sum(lengths).as_py() or 0)
            if (pc.max(lengths).as_py() or 0) > MAX_CELL:
                raise _long_cell(name)
            _check_utf8(name, cells)
        if size > _MAX_BATCH:
            detail = f"{batch.num_rows:,} rows hold more than {_MAX_BATCH:,} bytes of text"
            raise FileRefused("too-long", detail)
        arrays = [
            cells if cells.type == field.type else without_dictionary(cells).cast(field.type)
            for cells, field in zip(batch.columns, self.schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _open(self, dictionaries: list[str] | None = None) -> pq.ParquetFile:
        try:
            # With pre-buffering a whole row group would be in memory.
            return pq.ParquetFile(
                self.path,
                read_dictionary=dictionaries,
                pre_buffer=False,
                buffer_size=1 << 16,
                arrow_extensions_enabled=False,  # else JSON would not be read as a dictionary
            )
        except (pa.ArrowException, OSError) as error:
            if "encrypt" in str(error).lower():
                raise FileRefused("encrypted", "the Parquet file is encrypted") from None
            raise FileRefused("damaged", _DAMAGED) from None


def _long_cell(name: str) -> FileRefused:
    detail = f"column {name} has a cell of more than {MAX_CELL:,} bytes"
    return FileRefused("too-long", detail, name)


def _check_utf8(name: str, cells: pa.Array) -> None:
    """Refuse texts that no other function could read. Arrow's reader does not look at them."""
    try:
        cells.validate(full=True)
    except pa.ArrowInvalid:
        detail = f"column {name} has texts that are not UTF-8: store it as bytes"
        raise FileRefused("damaged", detail, name) from None


def _width(kind: pa.DataType) -> int:
    """The bytes of a cell; 0 for texts and other types without a width of their own."""
    try:
        return (int(kind.bit_width) + 7) // 8
    except ValueError:
        return 0


def _stored_type(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_text(kind: pa.DataType) -> bool:
    return any(
        (
            pa.types.is_string(kind),
            pa.types.is_large_string(kind),
            pa.types.is_binary(kind),
            pa.types.is_large_binary(kind),
        )
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_binary_view(kind) else kind


def _lengths(cells: pa.Array) -> pa.Array | None:
    """The bytes of each text; None for other cells."""
    if pa.types.is_dictionary(cells.type):
        lengths = _lengths(cells.dictionary)
        return None if lengths is None else lengths.take(cells.indices)
    if not _is_text(cells.type):
        return None
    return pc.binary_length(cells)
