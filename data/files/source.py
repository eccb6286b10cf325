"""Files of payments, read chunk by chunk. Memory does not grow with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from data.files.chunk import BadRow, Chunk, SourceUnreadable
from data.files.csv_source import CsvSource
from data.files.parquet_source import ParquetSource
from data.layout.fields import CsvDialect

__all__ = [
    "BadRow",
    "Chunk",
    "Source",
    "SourceUnreadable",
    "digest_of",
    "is_parquet",
    "open_source",
]

ROWS_PER_CHUNK = 50_000
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive or a workbook, not CSV: unpack it or save it as CSV",
    b"PAR1": "Parquet: rename it to .parquet",
    b"BZh": "compressed with bzip2: decompress it, or compress it with gzip",
    b"\xfd7zX": "compressed with xz: decompress it, or compress it with gzip",
    b"ORC": "ORC, not CSV: convert it to Parquet",
    b"Obj\x01": "Avro, not CSV: convert it to Parquet",
    b"ARROW1": "Feather, not CSV: convert it to Parquet",
    b"\xd0\xcf\x11\xe0": "a workbook, not CSV: save it as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: decompress it, or compress it with gzip",
}
"""First bytes of files that are not CSV -> what they are and what to do."""


class Source(Protocol):
    """A file that is read in chunks."""

    def names(self) -> list[str]:
        """Return the columns of the file."""

    def chunks(self, columns: frozenset[str], skip: int, limit: int | None) -> Iterator[Chunk]:
        """Read `columns` of the rows after the first `skip`, up to row `limit`.

        Raises:
            SourceUnreadable: the file is damaged.
        """


def open_source(path: Path, dialect: CsvDialect | None = None) -> Source:
    """Open a file by its suffix: .parquet or .pq, else CSV (.gz is decompressed).

    Args:
        dialect: how a CSV file is written; None: with commas, in UTF-8, with a header.

    Raises:
        SourceUnreadable: there is no such file, or it is of another kind.
    """
    if path.is_dir():
        raise SourceUnreadable(f"{path}: is a folder: give the files in it one by one")
    if not path.is_file():
        raise SourceUnreadable(f"{path}: no such file")
    if is_parquet(path):
        return ParquetSource(path, ROWS_PER_CHUNK)
    _refuse_other_kinds(path)
    return CsvSource(path, dialect or CsvDialect(), ROWS_PER_CHUNK)


def is_parquet(path: Path) -> bool:
    """Return whether a file is read as Parquet: its suffix is .parquet or .pq."""
    return path.suffix.lower() in (".parquet", ".pq")


def _refuse_other_kinds(path: Path) -> None:
    """Fail on files whose first bytes show that they are not CSV."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise SourceUnreadable(f"{path}: is {kind}")
    if path.suffix.lower() == ".gz" and start and not start.startswith(b"\x1f\x8b"):
        raise SourceUnreadable(f"{path}: is not compressed with gzip: rename it without .gz")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex. About two seconds a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
