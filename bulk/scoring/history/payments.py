"""The payments of a job's parts as batches in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bulk.jobs.paths import LINE, ROW, JobPaths
from bulk.scoring.history.last_seen import LastSeen
from bulk.scoring.history.payment_layout import plain_column
from bulk.scoring.history.time_buckets import ROWS_PER_BUCKET, TimeBuckets, bucket_edges
from data.files.chunk import BadRow, Chunk
from data.guess.guess import OPTIONAL
from data.layout.fields import TEXT_FIELDS
from data.layout.mapping import Layout, columns_of
from data.rows.canonical import CanonicalRows, canonical_rows
from fraud.payment.batch import Int64, TransactionBatch

PLACE = "place"
"""Where a row stands among all rows of all parts, from 0."""

Convert = Callable[[pa.Table], pa.Table]
"""Applies the conversions of units that the caller confirmed."""

_ROWS_PER_BATCH = 16_384
_TAG = "job"
"""Ids of rows need to differ within the job only."""

SCHEMA = pa.schema(
    [
        ("at_ms", pa.int64()),
        (PLACE, pa.int64()),
        ("amount_minor", pa.int64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        *((name, pa.string()) for name in TEXT_FIELDS),
    ]
)
"""Of the payments in buckets."""


@dataclass(slots=True)
class Rejected:
    """Rows that are no payments.

    Attributes:
        bad: one entry for each broken rule, in the order of the file; at most `limit`.
        rows: number of such rows.
    """

    bad: list[BadRow] = field(default_factory=list)
    rows: int = 0


def read_parts(
    paths: JobPaths,
    layout: Layout,
    convert: Convert,
    buckets: TimeBuckets,
    seen: LastSeen,
    done: Callable[[int], None],
    limit: int,
) -> Rejected:
    """Put the payments of all parts into buckets.

    Args:
        convert: see `Convert`.
        seen: notes the ids of each bucket.
        done: called with the number of rows that were read so far.
        limit: most entries of rejected rows that are kept.
    """
    rejected, start = Rejected(), 0
    for number in paths.part_numbers:
        chunk = _chunk(paths.part(number), layout, convert)
        found = _payments_in(chunk, layout)
        rejected.bad += found.bad[: max(0, limit - len(rejected.bad))]
        rejected.rows += found.n_bad
        places = start + np.searchsorted(chunk.rows, found.rows)
        payments = _payments(found.table, places)
        seen.add(payments, buckets.add(payments))
        start += len(chunk.rows)
        done(start)
    return rejected


def sampled_edges(
    sample: Path, layout: Layout, rows: int, rows_per_bucket: int = ROWS_PER_BUCKET
) -> Int64:
    """int64[b - 1]: where buckets of a file begin, by the times of its sample."""
    names = pq.read_schema(sample).names
    columns = [n for n in names if n in layout.columns()]
    table = pq.read_table(sample, columns=columns, partitioning=None)
    numbers = np.arange(1, table.num_rows + 1)
    chunk = Chunk(numbers, numbers, _columns(table))
    found = canonical_rows(chunk, layout, _TAG)
    return bucket_edges(
        found.table["occurred_at"].cast(pa.int64()).to_numpy(), rows, rows_per_bucket
    )


def batches(table: pa.Table, tenant: str) -> Iterator[TransactionBatch]:
    """Yield the payments of a bucket."""
    for start in range(0, table.num_rows, _ROWS_PER_BATCH):
        part = table.slice(start, _ROWS_PER_BATCH)
        text = {name: part[name].to_pylist() for name in TEXT_FIELDS}
        yield TransactionBatch(
            tenant=[tenant] * part.num_rows,
            timestamp_ms=part["at_ms"].to_pylist(),
            amount_minor=part["amount_minor"].to_pylist(),
            latitude=part["latitude"].to_pylist(),
            longitude=part["longitude"].to_pylist(),
            **text,
        )


def _chunk(part: Path, layout: Layout, convert: Convert) -> Chunk:
    wanted = [ROW, LINE, *sorted(layout.columns())]
    table = pq.read_table(part, columns=wanted, partitioning=None)
    rows, lines = (table[name].to_numpy() for name in (ROW, LINE))
    return Chunk(rows, lines, _columns(convert(table.drop_columns([ROW, LINE]))))


def _payments_in(chunk: Chunk, layout: Layout) -> CanonicalRows:
    """The payments of a chunk. What is optional and cannot be read counts as unknown: its row is a
    payment all the same."""
    found = canonical_rows(chunk, layout, _TAG)
    unread: dict[str, list[int]] = {}
    for one in found.bad:
        for name in columns_of(layout, one.field) if one.field in OPTIONAL else ():
            unread.setdefault(name, []).append(one.row)
    if not unread:
        return found
    columns = dict(chunk.columns)
    for name, rows in unread.items():
        blank = pa.array(np.isin(chunk.rows, rows))
        columns[name] = pc.if_else(blank, pa.scalar(None, columns[name].type), columns[name])
    return canonical_rows(replace(chunk, columns=columns), layout, _TAG)


def _columns(table: pa.Table) -> dict[str, pa.Array]:
    return {name: plain_column(table, name) for name in table.column_names}


def _payments(table: pa.Table, places: Int64) -> pa.Table:
    columns = {
        "at_ms": table["occurred_at"].cast(pa.int64()),
        PLACE: pa.array(places, pa.int64()),
        **{name: table[name] for name in ("amount_minor", "latitude", "longitude", *TEXT_FIELDS)},
    }
    return pa.table(columns).cast(SCHEMA)
