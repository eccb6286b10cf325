"""What is measured of the data of a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.layout.layout import parse_layout
from references.profile.column import ColumnKind
from tests.contracts.layouts import TABLE
from tests.contracts.payments import payments
from training.reference.measured import TableMeasurer, measured_payments, reference_name
from training.sets.tabular import read_table

LAYOUT = f"""{TABLE}delay_days = 0
[tabular]
numeric = ["amount", "age"]
categorical = ["job"]
[file]
delimiter = ";"
decimal = ","
missing = ["?"]
"""


def test_a_table_is_measured_as_it_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    jobs = ("cook", "smith", "?")
    rows = [f'{i};"{i % 90},5";{20 + i % 50};{jobs[i % 3]};{i % 2};x' for i in range(600)]
    path.write_text("\n".join(["at;amount;age;job;bad;other", *rows]))
    layout = parse_layout(LAYOUT, "own")
    measurer = TableMeasurer(layout)
    read_table(path, layout, lambda *_: None, look=measurer.add)
    measured = measurer.measured()
    assert (measured.name, measured.kind, measured.label) == ("own", "tabular", "bad")
    assert (measured.decimal, measured.missing) == (",", ("?",))
    amount, age, job = measured.profiles
    assert (amount.name, amount.kind, amount.quantiles[-1]) == ("amount", ColumnKind.NUMBER, 89.5)
    assert (age.kind, age.rows, age.filled) == (ColumnKind.NUMBER, 600, 600)
    assert (job.kind, job.filled) == (ColumnKind.CATEGORY, 400)
    assert dict(job.categories) == {"cook": 0.5, "smith": 0.5}
    assert measured.sketch.column_names == ["amount", "age", "job"]
    assert measured.sketch.num_rows == 600
    assert measured.sketch["amount"][0].as_py() == "0,5"


def test_payments_are_measured_by_their_fields() -> None:
    batch = payments(800, seed=4)
    measured = measured_payments("Theirs.eu", batch)
    assert (measured.name, measured.kind, measured.label) == ("theirs.eu", "history", "")
    profiles = {p.name: p for p in measured.profiles}
    assert profiles["timestamp"].time_format == "iso"
    assert profiles["amount"].kind is ColumnKind.NUMBER
    for name in ("customer_id", "merchant_id", "device_id", "counterparty_id"):
        assert profiles[name].kind is ColumnKind.IDENTIFIER
        assert (profiles[name].categories, profiles[name].quantiles) == ((), ())
        assert {v for v in measured.sketch[name].to_pylist() if v} <= {"A1", "A1{2}", "A1{3}"}
    assert profiles["channel"].kind is ColumnKind.CATEGORY
    assert measured.sketch.column_names == list(profiles)
    assert measured.sketch.num_rows == 800


def test_fields_that_no_payment_has_are_left_out() -> None:
    batch = payments(50, seed=4)
    batch.device_id = [None] * len(batch)
    batch.latitude = [None] * len(batch)
    names = {p.name for p in measured_payments("x", batch).profiles}
    assert not names & {"device_id", "latitude"}
    assert {"amount", "timestamp", "customer_id"} <= names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ulb", "ulb"),
        ("Bank of Spain", "bank-of-spain"),
        ("..x", "x"),
        ("é", "unnamed"),
        ("x" * 90, "x" * 54),
    ],
)
def test_any_layout_or_tenant_gives_a_name_that_the_store_keeps(text: str, name: str) -> None:
    assert reference_name(text) == name
