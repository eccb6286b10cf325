"""Histories: in order, with the labels that were known at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.history.history import History, read_history, stream_history
from data.load.loader import load_file

DAY_MS = 86_400_000
END_MS = 20_000 * DAY_MS


async def test_history_is_in_order_with_the_labels_of_its_time(
    database_url: str, database: Any, world: Path
) -> None:
    await load_file(database_url, world, "canonical", tenant="a")
    await load_file(database_url, world, "canonical", tenant="b", limit=100)
    history = await read_history(database_url, "a")
    file = pq.read_table(world)
    assert set(history.batch.tenant) == {"a"}
    order = list(zip(history.batch.timestamp_ms, history.batch.transaction_id, strict=True))
    assert order == sorted(order)
    assert history.batch.timestamp_ms == file["timestamp"].cast(pa.int64()).to_pylist()
    assert sum(history.label == 1) == sum(file["is_fraud"].to_pylist())
    as_of = END_MS - 10 * DAY_MS
    then = await read_history(database_url, "a", as_of_ms=as_of)
    assert len(then) == len(history)
    known = history.known_at_ms <= as_of
    assert (then.label[known] == history.label[known]).all()
    assert (then.label[~known] == -1).all()
    assert (then.known_at_ms[~known] == -1).all()
    assert 0 < sum(~known) < len(history)


async def test_a_later_label_corrects_an_earlier_one(
    database_url: str, database: Any, world: Path
) -> None:
    await load_file(database_url, world, "canonical", limit=10)
    before = await read_history(database_url, "default")
    first_id, known = before.batch.transaction_id[0], int(before.known_at_ms[0])
    await database.execute(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " VALUES ('default', $1, $2, to_timestamp($3::float8 / 1000), 'analyst')",
        first_id,
        not before.label[0],
        float(known + 1000),
    )
    after = await read_history(database_url, "default")
    assert (after.label[0], after.known_at_ms[0]) == (1 - before.label[0], known + 1000)
    earlier = await read_history(database_url, "default", as_of_ms=known)
    assert (earlier.label[0], earlier.known_at_ms[0]) == (before.label[0], known)


async def test_history_in_parts_and_spans(database_url: str, database: Any, world: Path) -> None:
    await load_file(database_url, world, "canonical")
    since, until = END_MS - 20 * DAY_MS, END_MS - 10 * DAY_MS
    parts: list[History] = [
        part
        async for part in stream_history(
            database_url, "default", since_ms=since, until_ms=until, rows_per_part=300
        )
    ]
    assert all(len(part) <= 300 for part in parts)
    at_ms = [t for part in parts for t in part.batch.timestamp_ms]
    file = pq.read_table(world)["timestamp"].cast(pa.int64()).to_pylist()
    assert at_ms == [t for t in file if since <= t < until]
    nobody = await read_history(database_url, "nobody")
    assert (len(nobody), nobody.label.shape) == (0, (0,))
