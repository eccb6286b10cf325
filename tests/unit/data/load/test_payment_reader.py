"""A file read without a database gives the payments that the database would."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.files import source
from data.layout.layout import LayoutInvalid
from data.load.payment_reader import read_payments
from tests.contracts.payment_files import HEADER, LAYOUT, ROWS


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
