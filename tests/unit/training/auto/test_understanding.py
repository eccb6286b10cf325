"""What files of many shapes are understood to be, and which ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data.files.chunk import SourceUnreadable
from data.generator.tables.families import OTHER_DOMAINS, PAYMENTS
from data.generator.tables.family import STYLES, Style
from data.generator.tables.table import TableSpec, generate_table
from data.layout.layout import parse_layout
from data.load.dry_run import dry_run
from training.auto.unclear import Unclear
from training.auto.understanding import NO_TIME, Understanding, understand

ROWS = 1_200
START = datetime(2024, 5, 1, tzinfo=UTC)


def rows(
    folder: Path,
    header: str,
    row: Callable[[int, np.random.Generator, bool], str],
    *,
    n: int = ROWS,
    name: str = "sales.csv",
    encoding: str = "utf-8",
) -> Path:
    """A file of `n` rows, of which every tenth is fraud."""
    rng = np.random.default_rng(1)
    lines = [row(i, rng, i % 10 == 7) for i in range(n)]
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def at(i: int) -> datetime:
    return START + timedelta(minutes=35 * i)


def french(i: int, rng: np.random.Generator, fraud: bool) -> str:
    euros = f"{rng.lognormal(3, 1):.2f}".replace(".", ",")
    answer = "Oui" if fraud else "Non"
    return f"{answer};C{i % 60};{at(i):%d/%m/%Y %H:%M};{euros};COM{i % 9};{i}"


def test_a_french_export_of_payments_is_a_history(tmp_path: Path) -> None:
    header = "Frauduleux;n° client;horodatage;Montant (€);commerçant;référence"
    path = rows(tmp_path, header, french, name="Été 2024.csv", encoding="cp1252")
    found = understand(path)
    assert (found.name, found.kind, found.label) == ("ete-2024", "history", "Frauduleux")
    assert (found.fraud, found.genuine) == (("Oui",), ("Non",))
    assert (found.rows, found.labelled, found.frauds) == (ROWS, ROWS, ROWS // 10)
    assert found.used["customer_id"] == "n° client"
    assert found.used["timestamp"] == "horodatage"
    assert found.used["amount"] == "Montant (€)"
    assert found.used["merchant_id"] == "commerçant"
    assert found.to_document()["written"] == {
        "delimiter": ";", "encoding": "cp1252", "decimal": ","
    }  # fmt: skip
    assert dry_run(path, found.layout).sound > 990


def test_the_label_delay_fits_the_span_of_the_file(tmp_path: Path) -> None:
    header = "Frauduleux;client;horodatage;Montant;commerçant;référence"
    short = understand(rows(tmp_path, header, french))
    span = 35 * ROWS / 60 / 24
    assert short.layout.label is not None
    assert short.layout.label.delay_ms == pytest.approx(0.1 * span * 86_400_000, rel=0.03)
    long = understand(rows(tmp_path, header, french, n=6_000, name="long.csv"))
    assert long.layout.label is not None
    assert long.layout.label.delay_ms == 7 * 86_400_000
    assert any("7 days after their payment is assumed" in note for note in long.notes)


def table(i: int, rng: np.random.Generator, fraud: bool) -> str:
    device = ("ios", "android")[i % 2]
    return f"{rng.lognormal(3, 1):.2f},{device},{rng.integers(0, 4)},N{i:09},{int(fraud)}"


TABLE = "price,device,tries,reference,is_fraud"


def test_a_file_without_customers_is_a_table(tmp_path: Path) -> None:
    found = understand(rows(tmp_path, TABLE, table))
    assert found.kind == "tabular"
    assert found.used == {"price": "number", "tries": "number", "device": "category"}
    assert set(found.unused) == {"reference"}


def test_a_file_without_times_says_so_first(tmp_path: Path) -> None:
    found = understand(rows(tmp_path, TABLE, table))
    assert found.notes[0] == NO_TIME
    assert (found.first_ms, found.last_ms) == (None, None)
    assert found.to_document()["first"] is None


def test_a_file_without_times_that_is_sorted_by_its_label_is_refused(tmp_path: Path) -> None:
    def sorted_rows(i: int, rng: np.random.Generator, _: bool) -> str:
        return table(i, rng, i >= 1_100)

    with pytest.raises(Unclear, match="sorted by the label"):
        understand(rows(tmp_path, TABLE, sorted_rows))


def test_customers_that_pay_once_have_no_history(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        return f"{at(i).isoformat()},C{i},{rng.lognormal(3, 1):.2f},{i % 3},{int(fraud)}"

    found = understand(rows(tmp_path, "time,customer_id,amount,tries,fraud", row))
    assert found.kind == "tabular"
    assert set(found.used) == {"amount", "tries"}
    assert "customer_id" in found.unused


def test_columns_like_ids_are_not_learnt_from(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        terminal, code = rng.integers(10_000, 99_999), (5411, 5812, 5999)[i % 3]
        return f"{i + 1},{terminal},{code},{rng.lognormal(3, 1):.2f},{int(fraud)}"

    found = understand(rows(tmp_path, "row,terminal_id,mcc,amount,fraud", row))
    assert found.used == {"amount": "number", "mcc": "category"}
    assert set(found.unused) == {"row", "terminal_id"}


def test_a_column_that_tells_the_label_by_its_name_is_left_out(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        return f"{rng.lognormal(3, 1):.2f},{rng.random():.3f},{rng.random():.2f},{int(fraud)}"

    found = understand(rows(tmp_path, "amount,fraud_scenario,new_balance,is_fraud", row))
    assert set(found.used) == {"amount"}
    assert "may leak the label" in found.unused["fraud_scenario"]
    assert "after a payment" in found.unused["new_balance"]


def test_a_column_may_be_left_out(tmp_path: Path) -> None:
    path = rows(tmp_path, TABLE, table)
    found = understand(path, without=["device"])
    assert set(found.used) == {"price", "tries"}
    with pytest.raises(Unclear, match="no column devise"):
        understand(path, without=["devise"])


def test_a_label_is_read_in_every_row(tmp_path: Path) -> None:
    """The first 50,000 rows hold one value only: the others are read too."""

    def late(i: int, rng: np.random.Generator, _: bool) -> str:
        return table(i, rng, i > 50_500 and i % 10 == 0)

    path = rows(tmp_path, f"at,{TABLE}", lambda i, r, f: f"{i * 60},{late(i, r, f)}", n=52_000)
    found = understand(path)
    assert (found.frauds, found.fraud) == (149, ("1",))


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (("0", "0"), "one value in every row"),
        (("a", "b"), "which one means fraud is not clear"),
        (("", "1"), "an empty cell may mean"),
    ],
)
def test_a_label_that_says_too_little_is_refused(
    tmp_path: Path, answers: tuple[str, str], why: str
) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        return f"{rng.lognormal(3, 1):.2f},{i % 5},{answers[fraud]}"

    with pytest.raises(Unclear, match=why):
        understand(rows(tmp_path, "amount,tries,is_fraud", row))


def test_the_caller_says_what_the_label_is(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        state = "lost" if fraud else ("kept", "late")[i % 2]
        return f"{rng.lognormal(3, 1):.2f},{i % 5},{state}"

    path = rows(tmp_path, "amount,tries,ending", row)
    with pytest.raises(Unclear, match="no column is named like a label"):
        understand(path)
    with pytest.raises(Unclear, match="more than two values"):
        understand(path, label="ending")
    found = understand(path, label="ending=lost", name="endings")
    assert (found.name, found.fraud, set(found.genuine)) == ("endings", ("lost",), {"kept", "late"})
    assert found.frauds == ROWS // 10
    assert parse_layout(found.layout.digest_text, "x").label == found.layout.label


def test_too_few_rows_or_frauds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unclear, match="400 labelled rows with 40 frauds are too few"):
        understand(rows(tmp_path, TABLE, table, n=400))


def test_a_file_with_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        return f"{i},{int(fraud)}"

    with pytest.raises((Unclear, SourceUnreadable)):
        understand(rows(tmp_path, "id,is_fraud", row), without=["id"])


def test_rows_that_cannot_be_payments_are_refused(tmp_path: Path) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        amount = 0 if i % 2 else rng.lognormal(3, 1)
        return f"{at(i).isoformat()},C{i % 40},{amount:.2f},EUR,{int(fraud)}"

    with pytest.raises(Unclear, match="cannot be payments: amount") as refused:
        understand(rows(tmp_path, "time,customer,amount,currency,fraud", row))
    assert "layout guess" in refused.value.settle


@pytest.mark.parametrize(
    ("name", "style"), list(zip([*PAYMENTS, "insurance-claims"], 2 * STYLES, strict=True))
)
def test_generated_tables_are_understood(tmp_path: Path, name: str, style: Style) -> None:
    family = {**PAYMENTS, **OTHER_DOMAINS}[name]
    made = generate_table(
        TableSpec(family, rows=2_000, rate=0.06, style=style, extras=2, shuffled=True)
    )
    found: Understanding = understand(made.write(tmp_path / f"{name}.csv"))
    assert (found.kind, found.label) == ("tabular", made.label)
    assert found.frauds == int(made.is_positive.sum())
    kinds = {field.kind for field in family.fields}
    for field in family.fields:
        column = made.names[field.key]
        if field.kind in ("identifier", "time"):
            assert column not in found.used
        elif column not in found.unused:  # a name may sound like what happens after a fraud
            assert found.used[column] in ("number", "category")
    assert len(found.used) >= len(family.fields) - 4
    assert (found.first_ms is None) == ("time" not in kinds)


def test_a_table_without_a_label_by_name_is_refused(tmp_path: Path) -> None:
    path = generate_table(TableSpec(OTHER_DOMAINS["churn"], rows=1_000)).write(tmp_path / "c.csv")
    with pytest.raises(Unclear, match=r"columns with two values: .*churned"):
        understand(path)
    assert understand(path, label="churned").kind == "tabular"


def test_dates_of_labels_are_used_and_undated_ones_wait_no_longer_than_the_span_allows(
    tmp_path: Path,
) -> None:
    def row(i: int, rng: np.random.Generator, fraud: bool) -> str:
        known = (at(i) + timedelta(days=2)).isoformat() if fraud else ""
        return f"{at(i).isoformat()},C{i % 50},{rng.lognormal(3, 1):.2f},{known},{int(fraud)}"

    header = "time,customer_id,amount,chargeback_date,is_fraud"
    found = understand(rows(tmp_path, header, row))
    label = found.layout.label
    assert label is not None
    assert label.known_at is not None
    assert label.known_at.columns_read() == {"chargeback_date"}
    assert label.undated_days == pytest.approx(0.1 * 35 * ROWS / 60 / 24, abs=0.1)
    assert "chargeback_date" not in found.used.values()
