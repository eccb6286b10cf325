"""A sample of a file: rows from all over it, taken while its sender waits."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.files.csv_text import CsvText
from bulk.files.parquet_table import ParquetTable
from bulk.files.upload import Upload
from bulk.jobs.paths import SAMPLED_ROWS, JobPaths
from stores.whole_file import whole_file

_READ_BYTES: Final = 1 << 25
"""A text up to this size is read as a whole. So much is read of one that cannot be entered in the
middle: of a gzip or UTF-16 file its beginning alone is sampled."""

_PLACES: Final = 32
_PLACE_BYTES: Final = 1 << 19
"""Parts of a larger text that are read, and the bytes of each."""

_READ_ROWS: Final = 100_000
"""Rows that are read of a Parquet file: the first of up to `_GROUPS` row groups."""

_GROUPS: Final = 10

_TABLE_BYTES: Final = 1 << 28
"""About the most bytes of these rows: a table may have thousands of columns, or long texts."""


def sample_upload(upload: Upload, paths: JobPaths, seed: int) -> pa.Table:
    """Take a sample of a file and write it to `paths.sample`.

    Args:
        seed: of the random places and rows.

    Returns:
        At most `SAMPLED_ROWS` rows, in the order of the file: texts from a text file, else with
        their own types. Rows that cannot be read are left out. No rows if none could be read.

    Raises:
        FileRefused: the file is damaged where it was read.
    """
    rng = np.random.default_rng(seed)
    table = upload.table
    rows = _of_text(table, rng) if isinstance(table, CsvText) else _of_table(table)
    if rows.num_rows > SAMPLED_ROWS:
        chosen = rng.choice(rows.num_rows, SAMPLED_ROWS, replace=False)
        rows = rows.take(pa.array(np.sort(chosen)))
    rows = rows.combine_chunks()
    with whole_file(paths.sample) as made:
        pq.write_table(rows, made)
    return rows


def _of_text(text: CsvText, rng: np.random.Generator) -> pa.Table:
    names = text.shape.names
    size = text.path.stat().st_size
    parts: list[pa.Table] = []
    if size > _READ_BYTES and text.seekable:
        width = size // _PLACES
        for place in range(_PLACES):
            start = place * width + int(rng.integers(max(width - _PLACE_BYTES, 1)))
            parts.append(pa.Table.from_arrays(text.rows_within(start, _PLACE_BYTES), names))
        return pa.concat_tables(parts)
    read = 0
    for chunk in text.chunks():
        parts.append(pa.table(dict(chunk.columns)))
        read += parts[-1].nbytes
        if read > _READ_BYTES:
            break
    return (
        pa.concat_tables(parts)
        if parts
        else pa.table({n: pa.array([], pa.string()) for n in names})
    )


def _of_table(table: ParquetTable) -> pa.Table:
    groups = [i for i, rows in enumerate(table.group_rows()) if rows]
    places = np.unique(np.linspace(0, len(groups) - 1, min(_GROUPS, len(groups))).astype(int))
    count = max(len(places), 1)
    most, size = _READ_ROWS // count, _TABLE_BYTES // count
    return pa.concat_tables([table.first_rows(groups[i], most, size) for i in places])
