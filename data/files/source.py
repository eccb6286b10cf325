"""Files of payments, read chunk by chunk: memory does not grow with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.files.chunk import BadRow, Chunk, SourceUnreadable
from data.files.csv_source import CsvSource
from data.layout.fields import FileForm

__all__ = ["BadRow", "Chunk", "Source", "SourceUnreadable", "digest_of", "open_source"]

ROWS_PER_CHUNK = 50_000
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive or a workbook, not CSV: unpack it or save it as CSV",
    b"PAR1": "Parquet: name it .parquet",
    b"BZh": "packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zX": "packed with xz: unpack it, or pack it with gzip",
    b"ORC": "ORC, not CSV: write it as Parquet",
    b"Obj\x01": "Avro, not CSV: write it as Parquet",
    b"ARROW1": "Feather, not CSV: write it as Parquet",
    b"\xd0\xcf\x11\xe0": "a workbook, not CSV: save it as CSV",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, or pack it with gzip",
}
"""First bytes of files that are not CSV -> what they are and what to do."""


class Source(Protocol):
    """A file that gives chunks."""

    def names(self) -> list[str]:
        """Columns of the file."""

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        """Chunks with `columns` of the rows after the first `skip`, up to row `limit`.

        Raises:
            SourceUnreadable: the file is damaged.
        """


def open_source(path: Path, form: FileForm | None = None) -> Source:
    """The source for a file by its suffix: .parquet or .pq, else CSV (.gz is unpacked).

    Args:
        form: how a CSV file is written; None: with commas, in UTF-8, with a header.

    Raises:
        SourceUnreadable: there is no such file, it is empty or not Parquet.
    """
    if path.is_dir():
        raise SourceUnreadable(f"{path}: is a folder: give the files in it one by one")
    if not path.is_file():
        raise SourceUnreadable(f"{path}: no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetSource(path)
    _refuse_other_kinds(path)
    return CsvSource(path, form or FileForm(), ROWS_PER_CHUNK)


def _refuse_other_kinds(path: Path) -> None:
    """Say what a file is that cannot be CSV, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise SourceUnreadable(f"{path}: is {kind}")
    if path.suffix.lower() == ".gz" and start and not start.startswith(b"\x1f\x8b"):
        raise SourceUnreadable(f"{path}: is not packed with gzip: name it without .gz")


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. About two seconds a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ParquetSource:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._open()

    def names(self) -> list[str]:
        names = list(self._file.schema_arrow.names)
        repeated = {n for n in names if names.count(n) > 1}
        if repeated:
            raise SourceUnreadable(
                f"{self._path}: column {min(repeated)} appears twice: rename one"
            )
        return names

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        total = self._file.metadata.num_rows
        end = total if limit is None else min(limit, total)
        groups, start = self._groups_after(skip)
        try:
            for batch in self._file.iter_batches(ROWS_PER_CHUNK, groups, sorted(columns)):
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
            # Without memory_map a multi-gigabyte file is not counted as this process's memory.
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"{self._path}: not a Parquet file: {error}") from None

    def _groups_after(self, skip: int) -> tuple[list[int], int]:
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
