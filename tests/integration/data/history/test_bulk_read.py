"""Large reads end soon straight after a load, also for a tenant without statistics."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.history.bulk_read import bulk_read
from data.history.history import read_history
from data.history.label_history import stream_labels
from data.load.loader import _Run, load_file
from features.store.span import Span
from stores.statements import statement

ROWS = 120_000
DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS
BOUNDS = ("2100-01-01", "1980-01-01", "2100-01-01")


def payments(path: Path, rows: int = ROWS) -> Path:
    """Payments of a year by 5,000 customers, each with a label."""
    rng = np.random.default_rng(3)
    at = START_MS + np.sort(rng.integers(0, 365 * DAY_MS, rows))
    times = pa.array(at).cast(pa.timestamp("ms", tz="UTC"))
    known = pa.array(at + 20 * DAY_MS).cast(pa.timestamp("ms", tz="UTC"))
    table = pa.table(
        {
            "transaction_id": [f"t{i}" for i in range(rows)],
            "customer_id": [f"c{c}" for c in rng.integers(0, 5_000, rows)],
            "timestamp": times,
            "amount": rng.integers(1, 10_000, rows) / 100,
            "currency": ["EUR"] * rows,
            "type": ["purchase"] * rows,
            "merchant_id": [f"m{m}" for m in rng.integers(0, 300, rows)],
            "is_fraud": rng.random(rows) < 0.01,
            "label_known_at": known,
        }
    )
    pq.write_table(table, path)
    return path


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return payments(tmp_path_factory.mktemp("year") / "year.parquet")


async def plan(connection: Any, text: str, *arguments: Any) -> str:
    rows = await connection.fetch(f"EXPLAIN {text}", *arguments)
    return "\n".join(row[0] for row in rows)


async def whole_plans(url: str, tenant: str) -> dict[str, str]:
    """PostgreSQL's plan for each of the large reads."""
    moments = await bounds(url)
    reads: dict[str, tuple[Any, ...]] = {
        "data/history/sql/history.sql": moments,
        "data/history/sql/label_events.sql": (180,),
        "training/sql/newest_labelled.sql": (),
        "decision_log/readers/sql/payments_before.sql": moments[:2],
        "decision_log/readers/sql/payments_loaded.sql": (moments[1],),
    }
    async with bulk_read(url) as connection:
        return {
            path: await plan(connection, statement(path), tenant, *arguments)
            for path, arguments in reads.items()
        }


async def bounds(url: str) -> tuple[Any, ...]:
    connection = await asyncpg.connect(url)
    try:
        return tuple(
            [
                await connection.fetchval("SELECT $1::text::timestamptz", f"{day} 00:00:00+00")
                for day in BOUNDS
            ]
        )
    finally:
        await connection.close()


async def test_what_is_loaded_is_read_fast_for_the_second_tenant_too(
    database_url: str, database: Any, year: Path
) -> None:
    for tenant in ("first", "second"):
        report = await load_file(database_url, year, "canonical", tenant=tenant)
        assert (report.loaded, report.labels) == (ROWS, ROWS)
        for name, text in (await whole_plans(database_url, tenant)).items():
            assert "Nested Loop" not in text, f"{name} of {tenant}:\n{text}"
    # It takes some seconds; with a nested loop it took many minutes.
    async with asyncio.timeout(120):
        history = await read_history(database_url, "second")
        assert len(history) == ROWS
        assert int((history.label >= 0).sum()) == ROWS
        async with bulk_read(database_url) as connection:
            events = [part async for part in stream_labels(connection, "second")]
    assert sum(len(part.events) for part in events) == ROWS


async def test_a_load_leaves_statistics_of_whole_tables(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    path = payments(tmp_path / "some.parquet", 3_000)
    await load_file(database_url, path, "canonical", tenant="counted", limit=2_000)
    for table, rows in (("transactions", 2_000), ("labels", 2_000)):
        known = await database.fetch(
            "SELECT attname, most_common_vals::text FROM pg_stats"
            " WHERE tablename = $1 AND inherited = $2",
            table,
            table == "transactions",
        )
        assert {row["attname"] for row in known} >= {"tenant", "transaction_id"}
        tenants = {row["most_common_vals"] for row in known if row["attname"] == "tenant"}
        assert tenants == {"{counted}"}
        counted = await database.fetchval(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = $1::text::regclass", table
        )
        assert counted == rows


async def test_a_load_that_is_cut_off_leaves_statistics(
    database_url: str, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.files import source

    monkeypatch.setattr(source, "ROWS_PER_CHUNK", 500)
    path = payments(tmp_path / "some.parquet", 5_000)

    load = asyncio.create_task(
        load_file(database_url, path, "canonical", tenant="cut", progress=lambda *_: load.cancel())
    )
    with pytest.raises(asyncio.CancelledError):
        await load
    counted = await database.fetchval(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = 'labels'::regclass"
    )
    assert 0 < counted == await database.fetchval("SELECT count(*) FROM labels") < 5_000


async def test_without_statistics_no_read_goes_through_a_tenant_once_for_each_row(
    database_url: str, database: Any, year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill -9: there are no statistics."""

    async def nothing(self: _Run) -> None:
        pass

    monkeypatch.setattr(_Run, "_update_statistics", nothing)
    for table in ("transactions_default", "labels"):
        await database.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await load_file(database_url, year, "canonical", tenant="killed", limit=50_000)
    for name, text in (await whole_plans(database_url, "killed")).items():
        assert "Nested Loop" not in text, f"{name}:\n{text}"
    started = time.monotonic()
    assert len(await read_history(database_url, "killed")) == 50_000
    assert time.monotonic() - started < 120


LOOKS = {
    "label_feed": "features/store/sql/label_feed.sql",
    "on_record": "features/store/sql/on_record.sql",
    "scored_labelled": "decision_log/readers/sql/scored_labelled.sql",
    "scored_sample": "decision_log/readers/sql/scored_sample.sql",
}


@pytest.mark.parametrize("name", LOOKS)
async def test_an_id_is_looked_up_in_an_index_that_begins_with_it(
    database_url: str, database: Any, year: Path, name: str
) -> None:
    """For an unknown tenant the planner rates an index that begins with the tenant as highly."""
    await load_file(database_url, year, "canonical", tenant="first", limit=20_000)
    text = statement(LOOKS[name])
    text = text.format(since=Span.everything().since, until=Span.everything().until)
    since, now = (await bounds(database_url))[1], await database.fetchval("SELECT now()")
    arguments: dict[str, tuple[Any, ...]] = {
        "label_feed": (since, 0, now, 250, await database.fetchval("SELECT interval '180 days'")),
        "on_record": (["unknown"], ["t1"]),
        "scored_labelled": ("unknown", 100, since),
        "scored_sample": ("unknown", since, 65_536),
    }
    await database.execute("SET enable_seqscan = off")
    found = await plan(database, text, *arguments[name])
    looked = [line for line in found.splitlines() if "Index Cond" in line and "_id = " in line]
    assert looked, found
    assert not [line for line in looked if "tenant =" in line.partition("_id = ")[0]], found
