"""Payments of a file become bodies that the wire types accept, under ids of their own."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.payments import MAX_SPAN_MS, Payment, Playlist, read_payments
from serve_app.http.wire.schemas import TransactionIn

NOW_MS = 1_790_000_000_000
FULL: dict[str, Any] = {
    "transaction_id": "old-1",
    "customer_id": "c1",
    "timestamp": datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC),
    "amount": 129.9,
    "currency": "USD",
    "type": "purchase",
    "merchant_id": "m1",
    "merchant_category": "food",
    "counterparty_id": None,
    "device_id": "d1",
    "ip_address": "10.0.0.1",
    "country": "DE",
    "channel": "online",
    "latitude": 52.5,
    "longitude": float("nan"),
    "is_fraud": True,
    "fraud_kind": "card_testing",
}


def parquet(path: Path, rows: list[dict[str, Any]], row_group_size: int = 10) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=row_group_size)
    return path


def rows(n: int) -> list[dict[str, Any]]:
    at = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    return [
        FULL | {"customer_id": f"c{i}", "timestamp": datetime.fromtimestamp(at + 60 * i, UTC)}
        for i in range(n)
    ]


def test_a_payment_is_what_the_wire_wants(tmp_path: Path) -> None:
    (payment,) = read_payments(parquet(tmp_path / "p.parquet", [FULL]), 10)
    order = Playlist([payment], "run", lambda: NOW_MS).take()
    sent = msgspec.json.decode(order.body, type=TransactionIn)
    assert sent.transaction_id == order.transaction_id == "run-000000000"
    assert sent.timestamp.timestamp() * 1000 == NOW_MS
    assert bytes(sent.amount) == b'"129.9"'
    assert (sent.counterparty_id, sent.ip_address) == (None, "10.0.0.1")
    assert sent.merchant_id is not None
    assert sent.merchant_id.startswith("m1~")
    assert (sent.latitude, sent.longitude) == (52.5, None)
    assert order.is_fraud is True


def test_only_the_tail_is_played_in_order_of_time(tmp_path: Path) -> None:
    shuffled = rows(35)
    shuffled[30], shuffled[34] = shuffled[34], shuffled[30]
    found = read_payments(parquet(tmp_path / "p.parquet", shuffled), 12)
    customers = [json.loads(b"{" + payment.fields)["customer_id"] for payment in found]
    assert customers == [f"c{i}~again~" for i in range(23, 35)]


def test_the_last_payment_happens_now_and_gaps_stay(tmp_path: Path) -> None:
    payments = read_payments(parquet(tmp_path / "p.parquet", rows(3)), 10)
    clock = iter([NOW_MS, NOW_MS + 5000])
    playlist = Playlist(payments, "run", lambda: next(clock))
    sent = [
        msgspec.json.decode(playlist.take().body, type=TransactionIn).timestamp.timestamp() * 1000
        for _ in range(6)
    ]
    first = [NOW_MS - 120_000, NOW_MS - 60_000, NOW_MS]
    assert sent == [*first, *(at + 5000 for at in first)]


def test_ids_are_never_sent_twice() -> None:
    payments = [Payment(i, b'"amount":"1"}', None) for i in range(3)]
    ids = [
        order.transaction_id
        for playlist in (Playlist(payments), Playlist(payments))
        for order in (playlist.take() for _ in range(10))
    ]
    assert len(set(ids)) == 20


def test_the_same_customer_within_a_lap_another_one_in_the_next(tmp_path: Path) -> None:
    one = FULL | {"customer_id": "c" * 64, "merchant_id": None}
    playlist = Playlist(read_payments(parquet(tmp_path / "p.parquet", [one, one]), 10))
    sent = [msgspec.json.decode(playlist.take().body, type=TransactionIn) for _ in range(4)]
    customers = [transaction.customer_id for transaction in sent]
    assert customers[0] == customers[1] != customers[2] == customers[3]
    assert {len(customer) for customer in customers} == {64}
    assert {transaction.merchant_id for transaction in sent} == {None}


def test_a_batch_holds_its_payments_in_order() -> None:
    playlist = Playlist([Payment(i, b'"amount":"%d"}' % i, None) for i in range(4)])
    orders, body = playlist.take_batch(3)
    sent = json.loads(body)["transactions"]
    assert [row["transaction_id"] for row in sent] == [order.transaction_id for order in orders]
    assert [row["amount"] for row in sent] == ["0", "1", "2"]


@pytest.mark.parametrize("packed", [False, True])
def test_csv_keeps_ids_of_digits(tmp_path: Path, packed: bool) -> None:
    text = (
        b"customer_id,timestamp,amount,currency,type,device_id,is_fraud\n"
        b"007,2026-03-01T12:00:00Z,1500,JPY,purchase,,0\n"
        b"008,2026-03-01T12:00:01+00:00,0.10,EUR,transfer,d1,1\n"
    )
    path = tmp_path / ("p.csv.gz" if packed else "p.csv")
    path.write_bytes(gzip.compress(text) if packed else text)
    first, second = read_payments(path, 10)
    assert second.at_ms - first.at_ms == 1000
    assert json.loads(b"{" + first.fields) == {
        "customer_id": "007~again~",
        "currency": "JPY",
        "type": "purchase",
        "amount": "1500",
    }
    assert json.loads(b"{" + second.fields)["amount"] == "0.1"
    assert (first.is_fraud, second.is_fraud) == (False, True)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1500.0, "1500"), (1e21, "1" + "0" * 21), (1e-05, "0.00001"), (0.1, "0.1"), (10, "10")],
)
def test_amounts_are_plain_decimals(tmp_path: Path, amount: float, text: str) -> None:
    (payment,) = read_payments(parquet(tmp_path / "p.parquet", [FULL | {"amount": amount}]), 1)
    assert json.loads(b"{" + payment.fields)["amount"] == text


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path / "p.parquet", [{"customer_id": "c", "amount": 1.0}])
    with pytest.raises(ValueError, match="timestamp, currency, type"):
        read_payments(path, 1)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pylist([FULL]).slice(0, 0), path)
    with pytest.raises(ValueError, match="no payments"):
        read_payments(path, 1)
    with pytest.raises(ValueError, match="no payment"):
        Playlist([])


def test_passes_go_on_with_the_same_customers_and_later_times() -> None:
    payments = [Payment(at, b'"customer_id":"c~again~"}', None) for at in (1000, 4000)]
    playlist = Playlist(payments, "r", now_ms=lambda: 1_000_000, passes=3)
    bodies = [json.loads(playlist.take().body) for _ in range(8)]
    at = [datetime.fromisoformat(body["timestamp"]).timestamp() * 1000 for body in bodies]
    # The last payment of the third pass happens now; a second lies between two passes.
    assert at[:6] == [989_000, 992_000, 993_000, 996_000, 997_000, 1_000_000]
    assert at[6:] == at[:2]
    assert len({body["customer_id"] for body in bodies[:6]}) == 1
    assert bodies[6]["customer_id"] != bodies[0]["customer_id"]
    assert len({body["transaction_id"] for body in bodies}) == 8


def test_what_lasts_longer_than_quorum_looks_back_is_played_faster() -> None:
    day_ms = 86_400_000
    payments = [Payment(at * day_ms, b'"customer_id":"c"}', None) for at in (0, 10, 40, 75)]
    now_ms = 1_790_000_000_000
    playlist = Playlist(payments, "r", now_ms=lambda: now_ms, passes=2)
    bodies = [json.loads(playlist.take().body) for _ in range(8)]
    at = [datetime.fromisoformat(body["timestamp"]).timestamp() * 1000 for body in bodies]
    assert at == sorted(at)
    assert at[0] >= now_ms - MAX_SPAN_MS
    assert abs(at[-1] - now_ms) < 1000
    gaps = [b - a for a, b in pairwise(at[:4])]
    assert [round(gap / gaps[0], 3) for gap in gaps] == [1, 3, 3.5]
