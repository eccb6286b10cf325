"""Batches, labels and last mentions of the payments of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data.load.payment_reader import read_payments
from tests.contracts.payment_files import HEADER, ROWS


def test_batches_of_any_size_are_the_same_rows(tmp_path: Path, layout: str) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(HEADER + ROWS)
    found = read_payments(file, layout)
    one_by_one = [b.row(0) for b in found.batches(rows=1)]
    whole = found.history()
    assert one_by_one == [whole.batch.row(i) for i in range(len(whole))]
    assert whole.label.tolist() == found.label.tolist()


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
        # No payment follows these labels, so their ids are left out.
        nobody = {name: [None] * len(part) for name in whole.ids}
        assert part == replace(wanted, ids=nobody)


def test_ids_that_no_later_payment_has_are_last_seen(tmp_path: Path) -> None:
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
    last_seen = [{k: set(v) for k, v in found.last_seen(i, i + 1).items() if v} for i in range(5)]
    assert last_seen == [
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
