"""Rows of a whole file in the order of time, with the memory of a part of them.

An external bucket sort: rows go into one file for each span of time while they are read, and each
file is sorted when its turn comes. A sample of the file's times cuts the spans, so that they hold
about equally many rows. A time that fills more than one span, such as a day without hours, has one
to itself, however large. Spans whose rows came in order are not sorted, but read piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.payment.batch import Int64

ROWS_PER_BUCKET = 200_000
_MOST_BUCKETS = 256
"""Files that are open at the same time."""


def bucket_edges(sampled_ms: Int64, rows: int, rows_per_bucket: int = ROWS_PER_BUCKET) -> Int64:
    """int64[b - 1], rising: the first times of all buckets but the first.

    Args:
        sampled_ms: int64[k], times of rows spread over the file.
        rows: of the file.
    """
    buckets = min(-(-rows // rows_per_bucket), _MOST_BUCKETS)
    if buckets < 2 or not sampled_ms.size:
        return np.empty(0, np.int64)
    ordered = np.sort(sampled_ms)
    places = (np.arange(1, buckets) * ordered.size) // buckets
    found, times = np.unique(ordered[places], return_counts=True)
    edges: Int64 = np.union1d(found, found[times > 1] + 1)
    return edges


class TimeBuckets:
    """Rows by spans of time, in files of a folder. Use it as a context, then read `spans`.

    Args:
        folder: empty, on a disk with room for the file's payments.
        edges_ms: int64[b - 1], see `bucket_edges`.
        schema: of the rows; column 0 is the time as int64, column 1 breaks ties.
    """

    def __init__(self, folder: Path, edges_ms: Int64, schema: pa.Schema) -> None:
        self._edges = edges_ms
        self._schema = schema
        self._paths = [folder / f"{i:03d}.arrow" for i in range(len(edges_ms) + 1)]
        self._last_ms: list[int | None] = [None] * len(self._paths)
        self._in_order = [True] * len(self._paths)
        self._open = ExitStack()
        self._writers: list[pa.RecordBatchFileWriter] = []

    def __enter__(self) -> TimeBuckets:
        for path in self._paths:
            self._writers.append(self._open.enter_context(pa.ipc.new_file(str(path), self._schema)))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, rows: pa.Table) -> Int64:
        """Put rows into their buckets, in the order of column 1. Returns int64[n], the bucket of
        each."""
        times = rows.column(0).to_numpy()
        bucket: Int64 = np.searchsorted(self._edges, times, side="right").astype(np.int64)
        for i in np.unique(bucket).tolist():
            self._writers[i].write_table(rows.filter(pa.array(bucket == i)))
            self._note(i, times[bucket == i])
        return bucket

    def _note(self, i: int, times: Int64) -> None:
        last = self._last_ms[i]
        follows = last is None or last <= times[0]
        self._in_order[i] &= bool(follows and (times[:-1] <= times[1:]).all())
        self._last_ms[i] = int(times[-1])

    def spans(self) -> Iterator[Iterator[pa.Table]]:
        """Yield the rows of each bucket, in order and in one or more pieces; each file is removed
        when it has been read. Read all pieces before the next bucket."""
        for path, in_order in zip(self._paths, self._in_order, strict=True):
            yield self._pieces(path, in_order)
            path.unlink()

    def _pieces(self, path: Path, in_order: bool) -> Iterator[pa.Table]:
        with pa.OSFile(str(path)) as file:
            reader = pa.ipc.open_file(file)
            if in_order:
                for i in range(reader.num_record_batches):
                    yield pa.Table.from_batches([reader.get_batch(i)])
                return
            table = reader.read_all()
        keys = [(name, "ascending") for name in self._schema.names[:2]]
        yield table.take(pc.sort_indices(table, sort_keys=keys))
