"""How PostgreSQL stores records."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from decision_log.shipping.postgres_sink import PostgresSink
from decision_log.shipping.sink import RecordRefused
from fraud.errors import StoreUnavailable
from fraud.ids import decision_ids
from fraud.payment.currency import hundredths
from fraud.plan import Plan
from fraud.record import DecisionRecord, plan_digest
from tests.contracts.decisions import DECIDED_AT_MS, PLAN, decision_records, gathered


@pytest.fixture
async def connection(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def sink(database_url):
    sink = PostgresSink(database_url)
    yield sink
    await sink.close()


def milliseconds(at) -> int:
    return round(at.timestamp() * 1000)


async def test_rows_equal_the_records(sink, connection):
    written = decision_records(6, "say")
    await sink.insert(gathered(written))
    for record in written:
        key = record.transaction.transaction_id
        row = await connection.fetchrow("SELECT * FROM transactions WHERE transaction_id = $1", key)
        t = record.transaction
        assert milliseconds(row["occurred_at"]) == t.timestamp_ms
        assert row["amount_hundredths"] == hundredths(t.amount_minor, t.currency)
        for name in ("customer_id", "amount_minor", "currency", "type", "device_id", "country"):
            assert row[name] == getattr(t, name)
        row = await connection.fetchrow("SELECT * FROM decisions WHERE transaction_id = $1", key)
        assert row["decision_id"] == UUID(record.decision_id)
        assert milliseconds(row["decided_at"]) == record.decided_at_ms == DECIDED_AT_MS
        assert row["degraded"] == list(record.degraded)
        assert (row["plan"], row["plan_version"]) == (PLAN.name, PLAN.version)
        assert row["features"] == record.features
        document = json.loads(row["record"])
        assert (document["plan"]["name"], document["plan"]["version"]) == (PLAN.name, PLAN.version)
        plan = await connection.fetchval(
            "SELECT document FROM recorded_plans WHERE digest = $1", document["plan"]["digest"]
        )
        named, document["plan"] = document["plan"]["digest"], json.loads(plan)
        read = DecisionRecord.from_document(document, row["features"])
        assert read == replace(record, plan=json.loads(json.dumps(record.plan)))
        assert Plan.from_document(read.plan) == PLAN
        assert plan_digest(read.plan) == named
        np.testing.assert_array_equal(read.values(), record.values())


async def test_inserting_again_changes_nothing(sink, connection):
    written = decision_records(5, "again")
    await sink.insert(gathered(written))
    await sink.insert(gathered([*written[2:], *decision_records(2, "more"), *written]))
    count = "SELECT count(*) FROM {} WHERE transaction_id LIKE 'again%'"
    assert await connection.fetchval(count.format("decisions")) == 5
    assert await connection.fetchval(count.format("transactions")) == 5


async def test_a_retried_transaction_is_one_transaction_and_two_decisions(sink, connection):
    first, second = decision_records(1, "retry"), decision_records(1, "retry")
    await sink.insert(gathered([*first, *second]))
    count = "SELECT count(*) FROM {} WHERE transaction_id LIKE 'retry%'"
    assert await connection.fetchval(count.format("decisions")) == 2
    assert await connection.fetchval(count.format("transactions")) == 1


async def test_a_retry_that_is_stamped_anew_is_no_other_payment(sink, connection):
    first, again, last = (
        replace(record, transaction=replace(record.transaction, transaction_id="stamped"))
        for record in decision_records(3, "stamped")
    )
    moment_ms = first.transaction.timestamp_ms
    again = replace(again, transaction=replace(again.transaction, timestamp_ms=moment_ms + 900))
    last = replace(last, transaction=replace(last.transaction, timestamp_ms=moment_ms + 60_000))
    await sink.insert(gathered([first, again]))
    await sink.insert(gathered([last]))
    rows = await connection.fetch(
        "SELECT occurred_at FROM transactions WHERE transaction_id = 'stamped'"
    )
    assert [milliseconds(row["occurred_at"]) for row in rows] == [moment_ms]
    decisions = "SELECT count(*) FROM decisions WHERE transaction_id = 'stamped'"
    assert await connection.fetchval(decisions) == 3


@pytest.mark.parametrize("days", [-6, 3, 30])
async def test_an_id_belongs_to_the_payment_that_had_it_first(sink, connection, days):
    """Another payment with the same id is decided on, but not stored under that id."""
    name = f"owner{days}"
    first, other = (
        replace(record, transaction=replace(record.transaction, transaction_id=name))
        for record in decision_records(2, name)
    )
    moment_ms = first.transaction.timestamp_ms + days * 86_400_000
    other = replace(other, transaction=replace(other.transaction, timestamp_ms=moment_ms))
    await sink.insert(gathered([first]))
    await sink.insert(gathered([other]))
    rows = await connection.fetch(
        "SELECT customer_id FROM transactions WHERE transaction_id = $1", name
    )
    assert [row["customer_id"] for row in rows] == [first.transaction.customer_id]
    decisions = "SELECT count(*) FROM decisions WHERE transaction_id = $1"
    assert await connection.fetchval(decisions, name) == 2


async def partitions(connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent IN ('transactions'::regclass, 'decisions'::regclass)"
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize("at_ms", [978_307_200_001, 1_577_836_799_999, 4_102_444_800_000])
async def test_the_months_around_a_decision_get_their_partitions(sink, connection, at_ms):
    """However long it was in the log."""
    (record,) = decision_records(1, f"m{at_ms}", at_ms=at_ms)
    transaction = replace(record.transaction, timestamp_ms=at_ms)
    await sink.insert(gathered([replace(record, transaction=transaction)]))
    for table, column in (("transactions", "occurred_at"), ("decisions", "decided_at")):
        row = await connection.fetchrow(
            f"SELECT tableoid::regclass::text AS part, {column} AS at FROM {table}"
            " WHERE transaction_id = $1",
            transaction.transaction_id,
        )
        assert row["part"] == f"{table}_{row['at']:%Y_%m}"
        assert milliseconds(row["at"]) == at_ms


async def test_client_timestamps_make_no_partitions(sink, connection):
    """A payment stamped in each month of ten years, back and ahead: all are kept, and what is
    planned for later is no more than before."""
    now_ms = milliseconds(await connection.fetchval("SELECT date_trunc('milliseconds', now())"))
    month_ms = 30 * 86_400_000
    await sink.insert(gathered(decision_records(1, "clock", at_ms=now_ms)))
    before = await partitions(connection)
    records = [
        replace(r, transaction=replace(r.transaction, timestamp_ms=now_ms + (n - 60) * month_ms))
        for n, r in enumerate(decision_records(119, "decade", at_ms=now_ms))
    ]
    await sink.insert(gathered(records))
    assert await partitions(connection) == before
    count = "SELECT count(*) FROM transactions WHERE transaction_id LIKE 'decade%'"
    assert await connection.fetchval(count) == 119


async def test_the_next_month_is_made_ahead(sink, connection):
    last_day_ms = 1_333_238_399_000  # 2012-03-31T23:59:59Z
    await sink.insert(gathered(decision_records(1, "ahead", at_ms=last_day_ms)))
    made = {f"transactions_2012_{month}" for month in ("02", "03", "04")}
    made |= {f"decisions_2012_{month}" for month in ("03", "04")}
    assert made <= await partitions(connection)


async def test_a_decision_lies_in_its_page_as_it_is(sink, connection):
    at_ms = 1_896_134_400_000  # a month of its own
    await sink.insert(gathered(decision_records(3, "plain", at_ms=at_ms)))
    found = await connection.fetch(
        "SELECT d.tableoid::regclass::text AS part,"
        " pg_column_compression(d.record) AS squeezed, pg_column_size(d.features) AS size,"
        " pg_relation_size(c.reltoastrelid) AS aside"
        " FROM decisions d JOIN pg_class c ON c.oid = d.tableoid"
        " WHERE d.transaction_id LIKE 'plain%'"
    )
    width = len(decision_records(1)[0].features)
    assert len(found) == 3
    for row in found:
        assert row["part"] == "decisions_2030_02"
        assert (row["squeezed"], row["aside"]) == (None, 0)
        assert row["size"] >= width


async def test_text_that_postgres_cannot_hold_is_held_all_the_same(sink, connection):
    (record,) = decision_records(1, "nul")
    transaction = replace(record.transaction, customer_id="a\0b\\u0000", merchant_id="\U0001f600")
    await sink.insert(gathered([replace(record, transaction=transaction)]))
    row = await connection.fetchrow(
        "SELECT customer_id, record FROM decisions WHERE transaction_id = 'nul0'"
    )
    assert row["customer_id"] == "a\ufffdb\\u0000"
    assert json.loads(row["record"])["transaction"]["customer_id"] == "a\ufffdb\\u0000"


async def test_text_arrives_as_it_is(sink, connection):
    odd = ['a "b" \\c', "line\nfeed\t", "null", "", "{x,y}", "%b é \U0001f600"]
    written = [
        replace(
            record, transaction=replace(record.transaction, merchant_category=text, country=None)
        )
        for record, text in zip(decision_records(len(odd), "odd"), odd, strict=True)
    ]
    await sink.insert(gathered(written))
    rows = await connection.fetch(
        "SELECT merchant_category, country, record -> 'transaction' ->> 'merchant_category' AS said"
        " FROM transactions JOIN decisions USING (tenant, transaction_id)"
        " WHERE transaction_id LIKE 'odd%' ORDER BY transaction_id"
    )
    assert [tuple(row) for row in rows] == [(text, None, text) for text in odd]


@pytest.mark.parametrize(
    "change",
    [
        {"decision_id": "not a uuid"},
        {"outcome": "perhaps"},
        {"probability": None},
        {"tenant": None},
        {"decided_at_ms": 2**62},
        {"tenant": "".join(decision_ids(400, 1, random.Random(1).randbytes))},  # too long to index
    ],
)
async def test_records_that_can_never_be_inserted_are_refused(sink, connection, change):
    (good,) = decision_records(1, "good")
    (bad,) = decision_records(1, "poison")
    with pytest.raises(RecordRefused):
        await sink.insert(gathered([good, replace(bad, **change)]))
    assert (
        await connection.fetchval("SELECT count(*) FROM decisions WHERE transaction_id = 'good0'")
        == 0
    )


@pytest.mark.parametrize("minor", [2**63, 2**62])
async def test_an_amount_out_of_range_is_refused(sink, minor):
    (record,) = decision_records(1, "big")
    transaction = replace(record.transaction, amount_minor=minor, currency="JPY")
    with pytest.raises(RecordRefused):
        await sink.insert(gathered([replace(record, transaction=transaction)]))


@pytest.mark.parametrize(
    "url", ["postgresql://quorum:x@127.0.0.1:1/quorum", "nonsense", "postgresql://[::1"]
)
async def test_a_database_that_is_not_there_is_no_fault_of_a_record(url):
    sink = PostgresSink(url)
    with pytest.raises(StoreUnavailable):
        await sink.insert(gathered(decision_records(1)))
    await sink.close()


async def test_a_missing_schema_is_no_fault_of_a_record(empty_database_url):
    sink = PostgresSink(empty_database_url)
    with pytest.raises(StoreUnavailable, match="UndefinedTable"):
        await sink.insert(gathered(decision_records(1)))
    await sink.close()


async def test_a_connection_that_is_cut_is_made_again(sink, connection):
    await sink.insert(gathered(decision_records(1, "cut-a")))
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    records = decision_records(1, "cut-b")
    # Whether the loop has heard of the end by now is chance: if not, this insert finds out.
    with suppress(StoreUnavailable):
        await sink.insert(gathered(records))
    await sink.insert(gathered(records))
    assert (
        await connection.fetchval(
            "SELECT count(*) FROM decisions WHERE transaction_id LIKE 'cut-%'"
        )
        == 2
    )
