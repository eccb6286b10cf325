"""A guessed layout loads its file, and notes what the file does not show."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.files.chunk import SourceUnreadable
from data.guess.column import Column
from data.guess.draft import draft_of_columns
from data.guess.guess import guess_layout, settled_layout
from data.layout.layout import Layout, parse_layout
from data.layout.mapping import columns_of
from data.load.dry_run import DryRun, dry_run
from tests.contracts.root import ROOT

DATA = ROOT / "../shared/data"
START = datetime(2023, 3, 14, 8, tzinfo=UTC)


def guessed(path: Path) -> tuple[Layout, str, DryRun]:
    text = guess_layout(path)
    layout = parse_layout(text, "guess.toml")
    return layout, text, dry_run(path, layout)


def moments(n: int) -> list[datetime]:
    return [START + timedelta(minutes=97 * i) for i in range(n)]


def mapped(layout: Layout, *fields: str) -> list[tuple[str, ...]]:
    return [columns_of(layout, field) for field in fields]


def test_a_german_export(tmp_path: Path) -> None:
    rng = random.Random(1)
    lines = ["Umsätze 2023;;;;;", "Auftrag-Nr;Kunde;Händler;Buchungsdatum;Betrag;Betrug"]
    for i, at in enumerate(moments(200)):
        cents = rng.randrange(100, 500_000)
        amount = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02} €"
        fraud = "ja" if i % 40 == 7 else "nein"
        shop = f"Bäcker {i % 9}"
        lines.append(f"A{i:05};K{i % 31};{shop};{at:%d.%m.%Y %H:%M};{amount};{fraud}")
    path = tmp_path / "bank.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    layout, text, found = guessed(path)
    assert (layout.dialect.delimiter, layout.dialect.encoding, layout.dialect.skip_lines) == (
        ";",
        "cp1252",
        1,
    )
    assert mapped(layout, "transaction_id", "customer_id", "merchant_id") == [
        ("Auftrag-Nr",),
        ("Kunde",),
        ("Händler",),
    ]
    assert mapped(layout, "timestamp", "amount", "is_fraud") == [
        ("Buchungsdatum",),
        ("Betrag",),
        ("Betrug",),
    ]
    assert layout.text["currency"].constant == "EUR"
    assert (found.sound, found.bad, found.fraud) == (200, 0, 5)
    assert found.fields["timestamp"]["understood"][0] == "2023-03-14T08:00:00Z"
    assert "check" in text


def test_a_day_and_a_time_and_american_dates(tmp_path: Path) -> None:
    lines = ["txnRef,cardNumber,storeId,txnDate,txnTime,amt,ccy,chargebackFlag,chargebackDate"]
    for i, at in enumerate(moments(300)):
        back = i % 50 == 3
        known = f"{at + timedelta(days=20):%m/%d/%Y}" if back else ""
        lines.append(
            f"r{i},c{i % 17},s{i % 5},{at:%m/%d/%Y},{int(f'{at:%H%M%S}')},"
            f'"$1,{i % 1000:03}.50",USD,{"Y" if back else "N"},{known}'
        )
    path = tmp_path / "pos.csv"
    path.write_text("\n".join(lines))
    layout, text, found = guessed(path)
    assert layout.timestamp.time is not None
    assert mapped(layout, "timestamp", "amount", "currency") == [
        ("txnDate", "txnTime"),
        ("amt",),
        ("ccy",),
    ]
    assert layout.timestamp.day.format == "%m/%d/%Y"
    assert layout.label is not None
    assert (layout.label.fraud, layout.label.genuine) == ({"Y"}, {"N"})
    assert mapped(layout, "known_at") == [("chargebackDate",)]
    assert (found.sound, found.fraud, found.genuine) == (300, 6, 294)
    assert "chargebackDate: its name" in text


def test_a_file_without_header_loads(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    lines = [f"{i};{at:%Y-%m-%dT%H:%M:%S};{i % 7 + 0.25}" for i, at in enumerate(moments(50))]
    path.write_text("\n".join(lines))
    layout, _, found = guessed(path)
    assert not layout.dialect.header
    assert mapped(layout, "timestamp", "amount") == [("2",), ("3",)]
    assert (found.sound, found.bad) == (50, 0)


def test_flags_of_rules_and_later_columns_are_leaks(tmp_path: Path) -> None:
    n = 400
    fraud = [int(i % 20 == 0) for i in range(n)]
    table = pa.table(
        {
            "eventTime": pa.array(moments(n), pa.timestamp("us", tz="UTC")),
            "sender": [f"a{i % 23}" for i in range(n)],
            "receiver": [f"b{i % 29}" for i in range(n)],
            "value": [i + 0.5 for i in range(n)],
            "isFlaggedFraud": fraud,
            "note": ["seen" if f else None for f in fraud],
            "is_laundering": fraud,
        }
    )
    path = tmp_path / "wires.parquet"
    pq.write_table(table, path)
    layout, text, found = guessed(path)
    assert mapped(layout, "customer_id", "counterparty_id", "amount") == [
        ("sender",),
        ("receiver",),
        ("value",),
    ]
    assert mapped(layout, "is_fraud", "timestamp") == [("is_laundering",), ("eventTime",)]
    assert "isFlaggedFraud: its name mentions the label" in text
    assert "note: it is filled for frauds" in text
    assert not {"isFlaggedFraud", "note"} & layout.columns()
    assert found.sound == n


def test_both_orders_of_day_and_month_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    rows = [f"{i},c{i % 3},0{i % 9 + 1}/0{i % 7 + 1}/2024,5.{i % 10}0" for i in range(40)]
    path.write_text("\n".join(["id,client,date,amount", *rows]))
    _, text, found = guessed(path)
    assert "check which number is the month" in text
    assert found.sound == 40


def test_a_file_without_numbers_or_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for content in ("", "a,b\n", "a,b\nx,y\n"):
        path.write_text(content)
        with pytest.raises(SourceUnreadable, match=r"numbers|empty|no rows"):
            guess_layout(path)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real sets are not beside the project")
@pytest.mark.parametrize(
    ("name", "customer", "amount", "label"),
    [
        ("handbook_raw/dev_2018-04-01_to_2018-08-14", "CUSTOMER_ID", "TX_AMOUNT", "TX_FRAUD"),
        ("sparkov_gen_A_kaggle_layout/transactions", "cc_num", "amt", "is_fraud"),
        ("paysim_sample_51k/paysim_sample", "nameOrig", "amount", "isFraud"),
        ("amlsim_20k/20K_cycle200_transactions", "sourceNodeId", "value", None),
        ("german_credit/germancredit", None, "credit_amount", "creditability"),
        ("uci_default_credit/UCI_Credit_Card_30k", None, "LIMIT_BAL", "default-payment-next-month"),
        ("ulb_creditcard/creditcard_f32", None, "Amount", "Class"),
    ],
)
def test_the_real_sets(name: str, customer: str | None, amount: str, label: str | None) -> None:
    layout, _, found = guessed(DATA / f"{name}.parquet")
    assert layout.text["customer_id"].columns == (() if customer is None else (customer,))
    assert layout.amount.column == amount
    assert (layout.label.column if layout.label else None) == label
    assert found.sound > 0.98 * found.rows
    assert not layout.columns() & {"TX_FRAUD_SCENARIO", "isFlaggedFraud", "fraudStep"}
    without_history = customer is None or name.startswith("paysim")  # payers pay once
    assert (layout.tabular is not None) == without_history


def labelled(folder: Path, values: list[str]) -> tuple[Layout, str, DryRun]:
    lines = ["id,customer,ts,amount,fraud"]
    for i, at in enumerate(moments(200)):
        lines.append(f"{i},c{i % 40},{at.isoformat()},{i}.50,{values[i % 20 == 7]}")
    path = folder / "x.csv"
    path.write_text("\n".join(lines) + "\n")
    return guessed(path)


@pytest.mark.parametrize(
    ("values", "sure"),
    [
        (["-1", "1"], True),
        (["1", "2"], False),
        (["", "X"], False),
        (["", "1"], False),
        (["N", "Y"], True),
        (["nein", "ja"], True),
        (["légitime", "Frauduleux"], True),
        (["N", "O"], True),
        (["hyvä", "huono"], False),
        (["ok", "other"], False),
        (["0", "3"], False),
        (["false", "true"], True),
    ],
)
def test_texts_of_a_label(tmp_path: Path, values: list[str], sure: bool) -> None:
    _, text, found = labelled(tmp_path, values)
    assert (found.fraud, found.genuine) == (10, 190)
    assert ("fraud: " not in text) is sure


def written(folder: Path, header: str, row: str, delimiter: str) -> tuple[Layout, str, DryRun]:
    lines = [header.replace(",", delimiter)]
    for i, at in enumerate(moments(200)):
        cells = row.format(i=i, card=i % 40, at=at, amount=100 + i, fraud=int(i % 20 == 7))
        lines.append(cells.replace(",", delimiter))
    path = folder / "x.csv"
    path.write_text("\n".join(lines) + "\n")
    return guessed(path)


@pytest.mark.parametrize("delimiter", ["^", "~", "\x01"])
def test_delimiters_of_other_programs(tmp_path: Path, delimiter: str) -> None:
    row = "{i},c{card},{at:%Y-%m-%d %H:%M},{amount},{fraud}"
    layout, _, found = written(tmp_path, "id,customer,ts,amount,fraud", row, delimiter)
    assert layout.dialect.delimiter == delimiter
    assert (found.sound, found.fraud) == (200, 10)


@pytest.mark.parametrize("name", ["amount_cents", "AmountMinor", "amount_pence", "amountInCents"])
def test_an_amount_in_cents_by_its_name(tmp_path: Path, name: str) -> None:
    row = "{i},c{card},{at:%Y-%m-%d %H:%M},{amount},EUR,{fraud}"
    layout, text, found = written(tmp_path, f"id,customer,ts,{name},ccy,fraud", row, ",")
    assert layout.amount.unit == "minor"
    assert found.fields["amount"]["understood"][0] == "1.00 EUR"
    assert "does not name its currency" not in text


def test_a_currency_is_found_by_its_cells(tmp_path: Path) -> None:
    row = "{i},c{card},{at:%Y-%m-%d %H:%M},{amount},CHF,{fraud}"
    layout, _, _ = written(tmp_path, "id,customer,ts,amount,WAERS,fraud", row, ",")
    assert layout.text["currency"].columns == ("WAERS",)


@pytest.mark.parametrize("clock", ["%Hh%M", "%H.%M", "%H:%M:%S", "%I:%M%p"])
def test_times_of_the_day_of_other_countries(tmp_path: Path, clock: str) -> None:
    row = f"{{i}};c{{card}};{{at:%d.%m.%Y}};{{at:{clock}}};{{amount}};{{fraud}}"
    _, _, found = written(tmp_path, "id;client;date;heure;montant;fraude", row, ";")
    assert found.fields["timestamp"]["understood"][0] == "2023-03-14T08:00:00Z"


@pytest.mark.parametrize(("zone", "noted"), [("", True), ("Z", False), ("+02:00", False)])
def test_a_time_without_zone_is_noted_as_utc(tmp_path: Path, zone: str, noted: bool) -> None:
    row = "{i},c{card},{at:%Y-%m-%d %H:%M:%S}" + zone + ",{amount},{fraud}"
    _, text, _ = written(tmp_path, "id,customer,ts,amount,fraud", row, ",")
    assert ("has no time zone" in text) is noted


def test_columns_that_are_known_need_no_names(tmp_path: Path) -> None:
    rows = 40
    columns = {
        "a": pa.array([f"k{i % 7}" for i in range(rows)]),
        "b": pa.array([str(i // 3) for i in range(rows)]),
        "c": pa.array([f"{i}.505" for i in range(1, rows + 1)]),
        "d": pa.array(["web" if i % 2 else "pos" for i in range(rows)]),
    }
    found = {name: Column(name, cells) for name, cells in columns.items()}
    chosen = {"customer_id": found["a"], "amount": found["c"], "channel": found["d"]}
    draft = draft_of_columns("mine", chosen, found["b"])
    path = tmp_path / "sample.parquet"
    pq.write_table(pa.table(columns), path)
    layout = parse_layout(settled_layout(draft, path), "the draft")
    assert mapped(layout, "customer_id", "amount", "channel", "timestamp") == [
        ("a",),
        ("c",),
        ("d",),
        ("b",),
    ]
    assert layout.text["channel"].values == {"web": "online"}
    # Tried on the file: its amounts have more decimals than a currency has.
    assert layout.amount.round
    assert dry_run(path, layout).bad == 0
