"""What arms did, counted from decisions that the log's sink has written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from decision_log.readers import arm_counts
from decision_log.readers.arm_counts import ArmCountsReader, Wanted, health_of
from decision_log.shipping.postgres_sink import PostgresSink
from fraud.errors import StoreUnavailable
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.health import Health
from stores.statements import statement
from tests.contracts.plans import leaf
from tests.contracts.stewardship import arm_records

NOW = datetime(2027, 3, 15, 12, 0, tzinfo=UTC)
PLAN = Plan("split", 2, AB((Arm("old", 90, leaf("xgboost")), Arm("new", 10, leaf("logistic")))))
WANTED = Wanted(("default",), "split", 2, NOW - timedelta(days=1), 600.0)


@pytest.fixture
async def sink(database_url: str) -> AsyncIterator[PostgresSink]:
    """The log's way into an empty table."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE decisions, transactions")
    await connection.close()
    one = PostgresSink(database_url)
    yield one
    await one.close()


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[ArmCountsReader]:
    one = ArmCountsReader(database_url, timeout_s=10)
    yield one
    await one.close()


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


async def test_each_arm_has_its_own_figures(sink: PostgresSink, reader: ArmCountsReader):
    await sink.insert(
        [
            arm_records(PLAN, "old", ago(minutes=5), 90, blocks=2),
            arm_records(PLAN, "new", ago(minutes=5), 94, errors=7, votes_ms=20.0),
            arm_records(PLAN, "new", ago(seconds=1), 6, blocks=6, votes_ms=90.0),
        ]
    )
    counts = await reader.counts(WANTED, NOW)
    assert set(counts) == {"old", "new"}
    old, new = health_of(counts, "old"), health_of(counts, "new")
    assert (old.decisions, old.errors, old.blocks) == (90, 0, 2)
    assert (new.decisions, new.errors, new.blocks) == (100, 7, 6)
    assert old.p95_ms == pytest.approx(10, rel=0.011)
    assert new.p95_ms == pytest.approx(90, rel=0.011)
    assert health_of(counts, "ne") == Health()


async def test_only_the_window_the_version_and_the_tenants_count(
    sink: PostgresSink, reader: ArmCountsReader
):
    other = replace(PLAN, version=1)
    await sink.insert(
        [
            arm_records(PLAN, "new", ago(minutes=11), 1),
            arm_records(PLAN, "new", ago(minutes=9), 2),
            arm_records(other, "new", ago(minutes=9), 4),
            arm_records(replace(PLAN, name="other"), "new", ago(minutes=9), 8),
            arm_records(PLAN, "new", ago(minutes=9), 16, tenant="acme"),
            arm_records(PLAN, "new", ago(minutes=4), 32),
        ]
    )

    async def decisions(wanted: Wanted) -> int:
        return health_of(await reader.counts(wanted, NOW), "new").decisions

    assert await decisions(WANTED) == 34
    assert await decisions(replace(WANTED, version=1)) == 4
    assert await decisions(replace(WANTED, tenants=("default", "acme"))) == 50
    assert await decisions(replace(WANTED, tenants=())) == 0
    assert await decisions(replace(WANTED, since=ago(minutes=4))) == 32
    assert await decisions(replace(WANTED, since=ago(minutes=4) + timedelta(seconds=1))) == 0
    assert await decisions(replace(WANTED, window_s=3600)) == 35


async def test_a_window_moves_and_late_records_are_found(
    sink: PostgresSink, reader: ArmCountsReader
):
    async def decisions(now: datetime) -> int:
        return health_of(await reader.counts(WANTED, now), "new").decisions

    await sink.insert([arm_records(PLAN, "new", ago(minutes=9), 1)])
    assert await decisions(NOW) == 1
    await sink.insert(
        [
            arm_records(PLAN, "new", ago(seconds=20), 2),  # shipped late
            arm_records(PLAN, "new", NOW + timedelta(seconds=1), 4),  # another clock
        ]
    )
    seen = []
    for second in range(0, 700, 5):
        now = NOW + timedelta(seconds=second)
        if second % 50 == 0:
            await sink.insert([arm_records(PLAN, "new", now, 10)])
        seen.append(await decisions(now))
    assert seen[0] == 17
    assert seen[:20] == [17] * 10 + [27] * 3 + [26] * 7
    # Ten in every 50 s: twelve of them fit into ten minutes, or thirteen at the slices' edges.
    assert set(seen[-10:]) <= {120, 130}
    fresh = ArmCountsReader(reader._url, timeout_s=10)
    assert health_of(await fresh.counts(WANTED, now), "new").decisions == seen[-1]
    await fresh.close()


async def test_old_slices_are_read_once(
    sink: PostgresSink, reader: ArmCountsReader, monkeypatch: pytest.MonkeyPatch
):
    await sink.insert([arm_records(PLAN, "new", ago(minutes=m + 0.2), 10) for m in range(8)])
    read: list[float] = []
    through = reader._read

    async def counted(wanted: Wanted, first: int, end: int | None):
        read.append(NOW.timestamp() - first * wanted.slice_s)
        return await through(wanted, first, end)

    monkeypatch.setattr(reader, "_read", counted)
    assert health_of(await reader.counts(WANTED, NOW), "new").decisions == 80
    assert max(read) == 600
    read.clear()
    assert health_of(await reader.counts(WANTED, NOW), "new").decisions == 80
    assert read == [30]
    reader.forget_others([])
    assert health_of(await reader.counts(WANTED, NOW), "new").decisions == 80
    assert max(read) == 600


async def test_a_look_that_takes_too_long_goes_on_at_the_next(
    sink: PostgresSink, reader: ArmCountsReader, monkeypatch: pytest.MonkeyPatch
):
    await sink.insert([arm_records(PLAN, "new", ago(minutes=m + 0.2), 10) for m in range(8)])
    monkeypatch.setattr(arm_counts, "BUDGET_S", 0.0)
    assert health_of(await reader.counts(WANTED, NOW), "new").decisions == 10
    monkeypatch.setattr(arm_counts, "BUDGET_S", 1.0)
    assert health_of(await reader.counts(WANTED, NOW), "new").decisions == 80


async def test_no_look_scans_the_table(sink: PostgresSink, database_url: str):
    """20,000 decisions of a day, and a look at one minute of them."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """
        INSERT INTO decisions (tenant, decision_id, decided_at, transaction_id, customer_id,
            outcome, probability, plan, plan_version, schema_id, features, record)
        SELECT 'default', (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(i::text), 14))::uuid,
            timestamptz 'epoch' + ms * interval '1 millisecond', 't' || i, 'c', 'approve', 0.1,
            'split', 2, '', '', '{"arm": "new", "stage_ms": {"votes": 5.0}}'
        FROM generate_series(1, 20000) AS i,
        LATERAL (SELECT $1::bigint - i * 4000 AS ms) AS at
        """,
        round(NOW.timestamp() * 1000),
    )
    await connection.execute("ANALYZE decisions")
    since = ago(minutes=1)
    plan = await connection.fetchval(
        "EXPLAIN (ANALYZE, FORMAT JSON) " + statement("decision_log/readers/sql/arm_counts.sql"),
        ["default"],
        *("split", 2, since, datetime(9999, 1, 1, tzinfo=UTC)),
        *(arm_counts._lowest_id(since), arm_counts._LAST_ID, 5.0, 1.02),
    )
    await connection.close()
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    scans = [n for n in nodes if "Scan" in n["Node Type"] and n.get("Actual Rows")]
    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Plan Rows"] > 100]
    assert sum(n["Actual Rows"] for n in scans if "Relation Name" in n) <= 20
    assert all(n.get("Rows Removed by Filter", 0) == 0 for n in scans)


async def test_without_postgresql_it_says_so():
    reader = ArmCountsReader("postgresql://nobody@127.0.0.1:9/none", timeout_s=1)
    with pytest.raises(StoreUnavailable):
        await reader.counts(WANTED, NOW)


def _nodes(node: dict):
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
