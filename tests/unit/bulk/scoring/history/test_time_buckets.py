"""The external sort by time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.history.time_buckets import TimeBuckets, bucket_edges

SCHEMA = pa.schema([("at", pa.int64()), ("place", pa.int64()), ("name", pa.string())])


@pytest.mark.parametrize("rows_per_bucket", [7, 50, 10_000])
@pytest.mark.parametrize("times", [1, 3, 10**6])
def test_rows_come_back_sorted_and_stable(tmp_path, rows_per_bucket, times):
    rng = np.random.default_rng(0)
    at = rng.integers(0, times, 500)
    edges = bucket_edges(at[::5], 500, rows_per_bucket)
    with TimeBuckets(tmp_path, edges, SCHEMA) as buckets:
        for start in range(0, 500, 60):
            place = np.arange(start, min(start + 60, 500))
            names = [f"n{i}" for i in place]
            buckets.add(pa.table({"at": at[place], "place": place, "name": names}, schema=SCHEMA))
    found = pa.concat_tables(piece for pieces in buckets.spans() for piece in pieces)
    order = np.argsort(at, kind="stable")
    assert found["place"].to_pylist() == order.tolist()
    assert found["name"].to_pylist() == [f"n{i}" for i in order]
    assert list(tmp_path.iterdir()) == []


def test_buckets_hold_about_equally_many_rows():
    at = np.random.default_rng(0).lognormal(size=100_000) * 1e6
    edges = bucket_edges(at[:5000].astype(np.int64), 100_000, 10_000)
    sizes = np.bincount(np.searchsorted(edges, at, side="right"))
    assert len(sizes) == 10
    assert sizes.max() < 12_000


def test_a_day_that_fills_the_file_is_read_piece_by_piece(tmp_path):
    day, rows = 86_400_000, 1000
    at = np.full(rows, day)
    at[::50] += np.arange(20) * 3_600_000
    edges = bucket_edges(at, rows, 100)
    assert edges.tolist() == [day, day + 1]
    with TimeBuckets(tmp_path, edges, SCHEMA) as buckets:
        for start in range(0, rows, 250):
            place = np.arange(start, start + 250)
            columns = {"at": at[place], "place": place, "name": [""] * 250}
            buckets.add(pa.table(columns, schema=SCHEMA))
    sizes = [[piece.num_rows for piece in pieces] for pieces in buckets.spans()]
    assert sizes == [[], [246, 245, 245, 245], [4, 5, 5, 5]]


def test_a_span_out_of_order_is_sorted_as_a_whole(tmp_path):
    with TimeBuckets(tmp_path, np.empty(0, np.int64), SCHEMA) as buckets:
        for place, at in enumerate([5, 7, 6]):
            buckets.add(pa.table({"at": [at], "place": [place], "name": [""]}, schema=SCHEMA))
    ((whole,),) = (list(pieces) for pieces in buckets.spans())
    assert whole["at"].to_pylist() == [5, 6, 7]


def test_a_small_file_is_one_bucket():
    assert bucket_edges(np.arange(100), 100, 200).tolist() == []
    assert bucket_edges(np.empty(0, np.int64), 10**6, 10).tolist() == []
