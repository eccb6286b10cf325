from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from decision_log.entry import FORMAT, MAX_ROWS, decode, encode, outline, storable
from decision_log.shipping.columns import N_COLUMNS, columns
from fraud.record import DecisionRecord, RecordBatch, plan_digest
from tests.contracts.decisions import PLAN, decision_records, gathered


def plain(record: DecisionRecord) -> bytes:
    return msgspec.json.encode(record, order="deterministic")


@pytest.mark.parametrize("n", [1, 2, MAX_ROWS, MAX_ROWS + 1, 3 * MAX_ROWS])
def test_records_come_back_in_order(n):
    written = decision_records(n)
    (batch,) = gathered(written)
    entries = encode(batch)
    assert len(entries) == -(-n // MAX_ROWS)
    read = [record for entry in entries for record in decode(entry)]
    assert list(map(plain, read)) == list(map(plain, written))
    assert [r.features for r in read] == [r.features for r in written]


def test_an_outline_has_the_rows_and_the_time():
    (batch,) = gathered(decision_records(MAX_ROWS + 3))
    at_ms = batch.decisions.decided_at_ms
    assert list(map(outline, encode(batch))) == [(MAX_ROWS, at_ms), (3, at_ms)]
    for wrong in (b"", b"?", encode(batch)[1][:50], b"\x91\x01"):
        with pytest.raises(ValueError, match="not an entry"):
            outline(wrong)


def test_records_of_several_plans_keep_their_own():
    written = decision_records(2) + decision_records(1, plan=replace(PLAN, version=9))
    read = [r for batch in gathered(written) for entry in encode(batch) for r in decode(entry)]
    assert [r.plan["version"] for r in read] == [3, 3, 9]


def test_no_records_are_no_entries():
    (batch,) = gathered(decision_records(1))
    assert encode(batch.slice(0, 0)) == []


def test_an_entry_of_a_later_format_is_refused():
    (batch,) = gathered(decision_records(1))
    (entry,) = encode(batch)
    body = msgspec.msgpack.decode(entry)
    for other in ([FORMAT + 1, *body[1:]], [FORMAT + 1], [1, {}, "s", "v", []]):
        with pytest.raises(ValueError, match=f"format {other[0]}"):
            decode(msgspec.msgpack.encode(other))


def test_metadata_and_stages_come_back_with_their_rows():
    batch = noted(3 * MAX_ROWS)
    read = [record for entry in encode(batch) for record in decode(entry)]
    assert [r.transaction.metadata for r in read] == [
        {"row": str(i)} if i % 2 else None for i in range(len(batch))
    ]
    assert [r.stage_ms for r in read] == [
        {"votes": 1.235, "auth": i / 2} for i in range(len(batch))
    ]


def noted(n: int) -> RecordBatch:
    """Records with stages, of which every other payment has metadata."""
    (batch,) = gathered(decision_records(n))
    batch.decisions.stage_ms = {"votes": 1.23456, "auth": 99.0}
    batch.transactions.stages = [f'"auth":{i / 2}' for i in range(n)]
    batch.transactions.metadata = [f'{{"row":"{i}"}}' if i % 2 else None for i in range(n)]
    return batch


@pytest.mark.parametrize("junk", [b"\xc1", b"\x00", b"\x93", b"\x95\x01\x80\xa1\xff\xa1a\x90"])
def test_a_payload_that_is_not_an_entry_is_refused(junk):
    with pytest.raises(ValueError, match="entry"):
        decode(junk)


def with_customer(record: DecisionRecord, customer: str) -> DecisionRecord:
    return replace(record, transaction=replace(record.transaction, customer_id=customer))


def test_a_lone_surrogate_in_one_row_spares_the_others():
    good, bad = decision_records(2)
    (batch,) = gathered([good, with_customer(bad, "a\ud800b")])
    (entry,) = encode(batch)
    first, second = decode(entry)
    assert plain(first) == plain(good)
    assert second.transaction.customer_id == "a?b"
    assert second.features == bad.features


def test_nul_is_replaced_and_nothing_else():
    (record,) = decision_records(1)
    bad = with_customer(record, "a\0b")
    (batch,) = gathered([bad])
    (made,) = storable(batch)
    assert made.transaction.customer_id == "a\ufffdb"
    assert made.features == bad.features
    assert plain(with_customer(made, "")) == plain(with_customer(record, ""))


def test_columns_hold_no_nul_and_no_nan():
    (record,) = decision_records(1)
    bad = replace(with_customer(record, "a\0b"), probability=float("nan"))
    (batch,) = gathered([bad, record])
    values = columns(batch)
    assert values[2] == ["a\ufffdb", record.transaction.customer_id]
    assert '"probability":null' in values[-1][0]
    assert "\\u0000" not in values[-1][0]
    document = msgspec.json.decode(values[-1][1])
    digest = plan_digest(record.plan)
    assert document.pop("plan") == {"name": "default", "version": 3, "digest": digest}
    whole = msgspec.json.decode(msgspec.json.encode(record.to_document()))
    del whole["plan"]
    whole["transaction"] = {k: v for k, v in whole["transaction"].items() if v is not None}
    assert document == whole
    assert len(values) == N_COLUMNS
    assert all(len(column) == 2 for column in values)
