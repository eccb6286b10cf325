"""A file without a database: the same payments, in the same order, as the system of record has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.files import source
from data.layout.layout import LayoutInvalid
from data.load.payment_reader import read_payments

HEADER = "transaction_id,customer_id,timestamp,amount,currency,type,merchant_id,is_fraud,known\n"
LAYOUT = """
name = "mine"
[columns]
transaction_id = "transaction_id"
customer_id = "customer_id"
timestamp = "timestamp"
amount = "amount"
currency = "currency"
type = "type"
merchant_id = "merchant_id"
[label]
column = "is_fraud"
known_at = "known"
"""
ROWS = (
    "c,k1,2026-01-05T11:00:00Z,10.00,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "b,k2,2026-01-05T10:00:00Z,12.50,JPY,transfer,,0,2026-01-05T12:00:00Z\n"
    "a,k1,2026-01-05T11:00:00Z,3.20,KWD,purchase,m1,,\n"
    "c,k1,2026-01-05T11:00:00Z,10.00,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "d,k1,2026-01-05T12:00:00Z,-1,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "c,k1,2026-01-05T13:00:00Z,11.00,EUR,purchase,m2,1,2026-01-07T00:00:00Z\n"
)


@pytest.fixture
def layout(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(LAYOUT)
    return str(path)


def test_rows_are_ordered_checked_and_taken_once(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(HEADER + ROWS.replace("12.50,JPY", "1250,JPY"))
    found = read_payments(file, layout, rejects=tmp_path / "bad.csv")
    whole = next(found.batches("acme"))
    assert whole.transaction_id == ["b", "a", "c"]
    assert whole.tenant == ["acme"] * 3
    assert whole.merchant_id == [None, "m1", "m1"]
    assert found.hundredths.tolist() == whole.amount_hundredths().tolist()
    assert found.timestamp_ms.tolist() == whole.timestamp_ms
    assert found.label.tolist() == [0, -1, 1]
    assert (found.known_at_ms - found.timestamp_ms).tolist()[0] == 2 * 3_600_000
    assert found.known_at_ms[1] == -1
    assert (found.rows, found.bad, found.repeated, found.labelled) == (6, 2, 1, True)
    assert found.reused == 1
    assert found.rejects is not None
    assert "5,6,amount,not_positive" in found.rejects.read_text()
    assert "6,7,transaction_id,another_payment" in found.rejects.read_text()


def test_payments_of_one_id_are_kept_apart_if_the_layout_says_so(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, apart = tmp_path / "pay.csv", tmp_path / "apart.toml"
    file.write_text(HEADER + ROWS.replace("12.50,JPY", "1250,JPY"))
    apart.write_text(f'{LAYOUT}[transaction_id]\nrepeated = "apart"\n')
    whole = []
    for rows in (1, 2, 50_000):
        monkeypatch.setattr(source, "ROWS_PER_CHUNK", rows)
        found = read_payments(file, str(apart))
        assert (found.bad, found.repeated, found.reused) == (1, 1, 1)
        whole.append(next(found.batches()))
    assert whole[0] == whole[1] == whole[2]
    *_, first, other = whole[0].transaction_id
    assert first == "c"
    assert other.startswith("c~")
    assert whole[0].merchant_id == [None, "m1", "m1", "m2"]


def test_batches_of_any_size_are_the_same_rows(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(HEADER + ROWS)
    found = read_payments(file, layout)
    one_by_one = [b.row(0) for b in found.batches(rows=1)]
    whole = found.history()
    assert one_by_one == [whole.batch.row(i) for i in range(len(whole))]
    assert whole.label.tolist() == found.label.tolist()


def test_the_label_may_be_absent_and_nothing_else(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    bare = (HEADER + ROWS).splitlines()
    file.write_text("\n".join(line.rsplit(",", 2)[0] for line in bare) + "\n")
    found = read_payments(file, layout)
    assert not found.labelled
    assert set(found.label.tolist()) == {-1}
    file.write_text(file.read_text().replace("merchant_id", "shop"))
    with pytest.raises(LayoutInvalid, match="no column merchant_id"):
        read_payments(file, layout)


def test_a_file_without_rows_is_an_empty_one(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(HEADER)
    found = read_payments(file, layout)
    assert len(found) == 0
    assert list(found.batches()) == []
    assert len(found.history()) == 0


def test_a_limit_counts_rows_of_the_file(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(HEADER + ROWS)
    assert read_payments(file, layout, limit=3).rows == 3


def test_labels_are_events_in_the_order_in_which_they_became_known(
    tmp_path: Path, layout: str
) -> None:
    file = tmp_path / "pay.csv"
    late = "e,k3,2026-01-05T09:00:00Z,7.00,EUR,purchase,m3,1,2026-08-06T00:00:00Z\n"
    rows = ROWS.replace("12.50,JPY", "1250,JPY").replace("c,k1,2026-01-05T13", "f,k1,2026-01-05T13")
    file.write_text(HEADER + rows + late)
    found = read_payments(file, layout)
    whole = found.history().label_events()
    assert whole.fraud == [False, True, True]  # that of e came after more than 180 days
    assert whole.known_at_ms == sorted(whole.known_at_ms)
    assert whole.ids["merchant"] == [None, "m1", "m2"]
    assert whole.ids["customer"] == ["k2", "k1", "k1"]
    assert whole.hundredths == [125_000, 1_000, 1_100]
    assert whole.previous == [None] * 3
    parts = list(found.label_events(rows=2))
    assert [len(part) for part in parts] == [2, 1]
    for part, wanted in zip(parts, (whole.slice(0, 2), whole.slice(2, 3)), strict=True):
        # Nobody pays after these labels: nothing asks for what they say of whom.
        nobody = {name: [None] * len(part) for name in whole.ids}
        assert part == replace(wanted, ids=nobody)


def test_who_is_named_for_the_last_time_leaves(tmp_path: Path) -> None:
    file = tmp_path / "pay.csv"
    columns = "transaction_id,customer_id,counterparty_id,merchant_id,is_fraud,label_known_at"
    rows = [
        "1,a,b,,1,2026-01-05T10:03:00Z",
        "2,c,,m,0,2026-01-05T10:03:00Z",
        "3,b,a,,0,2026-01-05T10:04:00Z",
        "4,a,,n,0,2026-01-05T10:04:00Z",
        "5,d,d,m,0,2026-01-05T10:04:00Z",
    ]
    lines = [f"{columns},timestamp,amount,currency,type"]
    lines += [f"{row},2026-01-05T10:0{i}:00Z,5.00,EUR,transfer" for i, row in enumerate(rows)]
    file.write_text("\n".join(lines) + "\n")
    found = read_payments(file, "canonical")
    leaving = [{k: set(v) for k, v in found.last_seen(i, i + 1).items() if v} for i in range(5)]
    assert leaving == [
        {"counterparty": {"b"}},
        {"customer": {"c"}},
        {"customer": {"b"}, "counterparty": {"a"}, "account": {"a", "b"}},
        {"customer": {"a"}, "merchant": {"n"}},
        {"customer": {"d"}, "merchant": {"m"}, "counterparty": {"d"}, "account": {"d"}},
    ]
    assert [sorted(v) for v in found.last_seen(0, 5).values()] == [
        ["a", "b", "c", "d"], ["m", "n"], [], ["a", "b", "d"], ["a", "b", "d", "d"],
    ]  # fmt: skip
    (labels,) = found.label_events()
    assert labels.ids["customer"] == ["a", None, None, None, "d"]
    assert labels.ids["merchant"] == [None, "m", None, None, "m"]
