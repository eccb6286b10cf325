"""Rows that are no payments, as files that say why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.paths import ROW
from bulk.output.error_file import ERROR_SCHEMA, error_table
from data.files.chunk import BadRow
from data.layout.mapping import Layout, columns_of
from stores.whole_file import whole_file

_ROWS, _REPLAYED = b"rows", b"replayed"


def write_rejected(path: Path, found: Sequence[tuple[Sequence[BadRow], Layout]], rows: int) -> None:
    """Write broken rules, and a number of rows that break any.

    Args:
        found: one entry for each broken rule, perhaps not all, and what the rows were read by; the
            same for each further layout by which the same file was read.
    """
    told = sorted({_told(one, layout) for bad, layout in found for one in bad})
    _write(path, error_table(told), {_ROWS: str(rows)})


def rejected_rows(path: Path) -> int:
    """Return the number of rows that `write_rejected` was told."""
    return int(pq.read_schema(path).metadata[_ROWS])


def add_rejected(errors: Path, rejected: Path) -> None:
    """Add rejected rows to the errors of reading the file, in the order of rows; do nothing if
    that has been done, or if there is no file of rejected rows."""
    if not rejected.exists():
        return
    before = pq.read_table(errors) if errors.exists() else ERROR_SCHEMA.empty_table()
    if _REPLAYED in (before.schema.metadata or {}):
        return
    after = pq.read_table(rejected).replace_schema_metadata()
    whole = pa.concat_tables([before.select(ERROR_SCHEMA.names).cast(ERROR_SCHEMA), after])
    _write(errors, whole.sort_by(ROW), {_REPLAYED: "yes"})


def _write(path: Path, table: pa.Table, metadata: dict[bytes, str]) -> None:
    with whole_file(path) as made:
        pq.write_table(table.replace_schema_metadata(metadata), made)


def _told(bad: BadRow, layout: Layout) -> tuple[int, int, str, str, str]:
    columns = ", ".join(columns_of(layout, bad.field)) if bad.field else ""
    reason = bad.detail.removesuffix(f" (column {columns})")
    return bad.row, bad.line, columns, bad.code, reason
