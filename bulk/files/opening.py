"""Opening a file of a job: what it is, and whether it can be read as a table."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from bulk.files.column_names import check_names
from bulk.files.csv_text import CsvText
from bulk.files.kind import HEAD_BYTES, check_text, kind_of
from bulk.files.parquet_table import ParquetTable
from bulk.files.refused import FileRefused
from bulk.files.unpacked import unpacked
from bulk.files.upload import Upload
from bulk.files.workbook import check_compound, check_zip, copy_sheet
from data.guess.column import Column, looks_like_a_value
from data.guess.dialect import SAMPLE_BYTES, dialect_of
from data.layout.fields import CsvDialect

_SEARCHED_BYTES: Final = 1 << 25
"""Bytes in which the encoding is searched: it must not take long."""

_COMMA_NUMBER: Final = r"^\s*[+-]?\d[\d.' ]*,\d+\s*$"
_TSV: Final = (".tsv", ".tab", ".tsv.gz", ".tab.gz")


def open_upload(
    path: Path,
    file_name: str,
    *,
    max_unpacked_bytes: int,
    dialect: Mapping[str, Any] | None = None,
) -> Upload:
    """Open a file. Its content decides what it is.

    A large file takes about a second: no more than 32 MB of a text, or the footer of a Parquet
    file, is read. A workbook is copied to a Parquet file beside it.

    Args:
        path: of the file, a regular one.
        file_name: as its sender called it; only a hint about the delimiter, never a path.
        max_unpacked_bytes: most bytes that it may unpack to.
        dialect: what the sender knows about a CSV file: keys of `CsvDialect`, and `decimal`.

    Raises:
        FileRefused: it is no table, or cannot be read safely.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of(head)
    if kind in ("text", "gzip"):
        return _open_text(path, file_name, kind == "gzip", max_unpacked_bytes, dict(dialect or {}))
    if kind == "parquet":
        return _open_table(Upload(path, "parquet", (), ParquetTable(path, max_unpacked_bytes)))
    if kind == "zip":
        check_zip(path, max_unpacked_bytes)
    else:
        check_compound(path)
    copy, sheet, notes = copy_sheet(path)
    table = ParquetTable(copy, max_unpacked_bytes)
    _check_header(table.schema.names, dialect or {}, 1)
    return _open_table(Upload(path, "workbook", (), table, sheet=sheet, notes=notes))


def _open_table(upload: Upload) -> Upload:
    table = upload.table
    assert isinstance(table, ParquetTable)
    names = tuple(table.schema.names)
    check_names(names)
    table.check()
    if not table.row_count:
        raise FileRefused("no-rows", "the file has columns and no rows")
    return Upload(upload.path, upload.kind, names, table, sheet=upload.sheet, notes=upload.notes)


def _open_text(
    path: Path, file_name: str, packed: bool, max_bytes: int, given: dict[str, Any]
) -> Upload:
    decimal = given.pop("decimal", None)
    if decimal not in (None, ".", ","):
        raise FileRefused("wrong-dialect", "decimal: expected . or ,")

    def blocks() -> Iterator[bytes]:
        with unpacked(path, packed, max_bytes) as source:
            read = 0
            while read < _SEARCHED_BYTES and (block := source.read(SAMPLE_BYTES)):
                read += len(block)
                yield block

    if packed:
        _check_unpacked(next(blocks(), b""))
    guessed = _dialect(dialect_of(blocks), given, file_name)
    text = CsvText(path, packed, guessed, max_bytes)
    names, rows = text.head
    line = guessed.skip_lines + 1 if guessed.header else 0
    _check_header(names, given, line)
    kept = text.shape.names
    check_names(kept, line)
    if not rows and not any(chunk.rows_done for chunk in text.chunks()):
        raise FileRefused("no-rows", "the file has a header and no rows")
    return Upload(path, "csv", tuple(kept), text, decimal or _decimal(kept, rows))


def _check_unpacked(start: bytes) -> None:
    if not start.strip():
        raise FileRefused("empty-file", "the file is empty")
    if kind_of(start) != "text":
        raise FileRefused(
            "other-kind", "the gzip file holds something other than text: upload that unpacked"
        )
    check_text(start)


def _dialect(guessed: CsvDialect, given: dict[str, Any], file_name: str) -> CsvDialect:
    """The guessed dialect with what the sender knows better."""
    if _shows_itself(given.get("encoding")):
        given.pop("encoding")
    fields: dict[str, Any] = {**guessed.model_dump(), "header": True}
    if file_name.lower().endswith(_TSV):
        fields["delimiter"] = "\t"
    if given.get("names"):
        fields["header"] = False
    try:
        return CsvDialect(**{**fields, **given})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = first.get("ctx", {}).get("key")  # of a check of several keys
        where = ".".join(map(str, first["loc"])) or key or "dialect"
        said = first["msg"].removeprefix("Value error, ")
        raise FileRefused("wrong-dialect", f"{where}: {said}") from None


def _shows_itself(encoding: object) -> bool:
    """Whether an encoding is seen at the first bytes of a file."""
    try:
        name = codecs.lookup(str(encoding)).name
    except (LookupError, ValueError):
        return False
    return name == "utf-8-sig" or name.startswith("utf-16")


def _check_header(names: list[str], given: Mapping[str, Any], line: int) -> None:
    """Refuse a first row of values, unless the sender says that it is the header."""
    if "header" in given or given.get("names"):
        if not names:
            detail = "a file without a header needs names: give the dialect names"
            raise FileRefused("no-header", detail)
        return
    if len(names) > 1 and any(looks_like_a_value(name) for name in names[:100]):
        raise FileRefused(
            "no-header",
            "the first row holds values and no names: add a header, or give the names in the"
            " dialect",
            line=line,
        )


def _decimal(names: list[str], rows: list[list[str]]) -> str:
    """The decimal sign of the first rows."""
    for place, name in enumerate(names):
        cells = pa.array([row[place] for row in rows if len(row) > place], pa.string())
        if not pc.any(pc.match_substring_regex(cells, _COMMA_NUMBER)).as_py():
            continue
        column = Column(name, cells)
        if column.is_number and column.decimal == ",":
            return ","
    return "."
