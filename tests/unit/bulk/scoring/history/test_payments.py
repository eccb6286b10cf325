"""Parts as payments in buckets, and buckets as batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.scoring.history.last_seen import LastSeen
from bulk.scoring.history.payment_layout import payment_layout
from bulk.scoring.history.payments import PLACE, SCHEMA, batches, read_parts, sampled_edges
from bulk.scoring.history.time_buckets import TimeBuckets
from tests.contracts.scored_jobs import history_model, write_job

N = 90


def job(folder):
    at = 1_760_000_000 + np.random.default_rng(0).permutation(N) * 60
    table = pa.table(
        {
            "who": [f"k{i % 9}" for i in range(N)],
            "when": at.astype(str),
            "amount": ["oops" if i in (4, 50) else f"{10 + i}.50" for i in range(N)],
        }
    )
    paths = write_job(folder / "job", table, rows_per_part=40)
    fields = {"customer_id": "who", "timestamp": "when", "amount": "amount"}
    return paths, payment_layout(history_model(folder / "m", fields), paths.sample, "."), at


def read(folder, limit=10, rows_per_bucket=25):
    paths, layout, at = job(folder)
    edges = sampled_edges(paths.sample, layout, N, rows_per_bucket)
    told = []
    (folder / "buckets").mkdir()
    with TimeBuckets(folder / "buckets", edges, SCHEMA) as buckets:
        rejected = read_parts(
            paths, layout, lambda table: table, buckets, LastSeen(), told.append, limit
        )
    return buckets, rejected, told, at


def test_payments_come_in_the_order_of_time_with_their_places(tmp_path):
    buckets, rejected, told, at = read(tmp_path)
    tables = [piece for pieces in buckets.spans() for piece in pieces]
    assert len(tables) == 4
    whole = pa.concat_tables(tables)
    places = whole[PLACE].to_numpy()
    assert (np.diff(whole["at_ms"].to_numpy()) > 0).all()
    assert (at[places] * 1000 == whole["at_ms"].to_numpy()).all()
    assert set(range(N)) - set(places.tolist()) == {4, 50}
    assert (rejected.rows, [bad.line for bad in rejected.bad]) == (2, [6, 52])
    assert told == [40, 80, 90]


def test_a_limit_bounds_what_is_listed_and_not_what_is_counted(tmp_path):
    _, rejected, _, _ = read(tmp_path, limit=1)
    assert (rejected.rows, len(rejected.bad)) == (2, 1)


def test_what_is_optional_and_cannot_be_read_is_unknown(tmp_path):
    columns = {
        "who": ["a", "b", "c", "d"],
        "when": [f"2026-03-01 10:0{i}" for i in range(4)],
        "amount": ["1", "2", "", "4"],
        "ip": ["10.0.0.1", "none of yours", "10.0.0.x", "10.0.0.4"],
        "shop": ["m", "m" * 500, "m", "m"],
    }
    fields = {"customer_id": "who", "timestamp": "when", "amount": "amount"}
    optional = {"ip_address": "ip", "merchant_id": "shop"}
    paths = write_job(tmp_path / "job", pa.table(columns))
    sound = write_job(tmp_path / "s", pa.table({n: c[:1] for n, c in columns.items()}))
    model = history_model(tmp_path / "m", {**fields, **optional})
    layout = payment_layout(model, sound.sample, ".")
    with TimeBuckets(tmp_path, np.empty(0, np.int64), SCHEMA) as buckets:
        rejected = read_parts(paths, layout, lambda t: t, buckets, LastSeen(), lambda _: None, 9)
    ((table,),) = map(list, buckets.spans())
    assert table[PLACE].to_pylist() == [0, 1, 3]
    assert table["ip_address"].to_pylist() == ["10.0.0.1", None, "10.0.0.4"]
    assert table["merchant_id"].to_pylist() == ["m", None, "m"]
    assert [(bad.row, bad.field) for bad in rejected.bad] == [(3, "amount")]


def test_batches_belong_to_the_tenant(tmp_path):
    buckets, *_ = read(tmp_path, rows_per_bucket=1000)
    (batch,) = batches(next(next(buckets.spans())), "acme")
    assert set(batch.tenant) == {"acme"}
    assert len(set(batch.transaction_id)) == len(batch) == N - 2
    assert set(batch.currency) == {"USD"}


def test_the_edges_come_from_the_sample(tmp_path):
    paths, layout, at = job(tmp_path)
    assert len(pq.read_table(paths.sample)) == N
    edges = sampled_edges(paths.sample, layout, N, 45)
    assert len(edges) == 1
    assert abs(edges[0] - np.median(at) * 1000) <= 120_000
