"""Payments of a file against those of a reference."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from references.matching.columns.history import match_fields
from references.matching.columns.payments import read_payments
from references.matching.columns.units import CONVERSIONS
from references.matching.match import ColumnMatch
from references.profile.measure import measure
from tests.contracts.matching import card_table, stored

REFERENCE = stored(card_table(2000, 1), kind="history").reference.columns


def _matched(table: pa.Table, convert: dict[str, str] | None = None) -> dict[str, ColumnMatch]:
    profiles = {p.name: p for p in measure({n: table.column(n) for n in table.column_names})}
    payments = read_payments(table, table.num_rows, {})
    return {m.column: m for m in match_fields(payments, profiles, REFERENCE, convert or {})}


def test_fields_have_their_columns() -> None:
    names = ["id_transaction", "client", "horodatage", "montant", "commercant"]
    found = _matched(card_table(2000, 2).rename_columns(names))
    assert {field: match.file_column for field, match in found.items()} == {
        "transaction_id": "id_transaction", "customer_id": "client", "timestamp": "horodatage",
        "amount": "montant", "merchant_id": "commercant",
    }  # fmt: skip
    assert found["amount"].distribution_score > 0.9


def test_amounts_of_another_level_and_the_same_shape_count() -> None:
    table = card_table(2000, 2)
    dearer = table.set_column(3, "amount", pc.multiply(table.column("amount"), 130.0))
    assert 0.6 < _matched(dearer)["amount"].distribution_score < 0.9


def test_cents_are_proposed_and_confirmed() -> None:
    table = card_table(2000, 2)
    cents = pc.multiply(table.column("amount"), 100).cast(pa.int64(), safe=False)
    table = table.set_column(3, "amount_cents", cents)
    assert _matched(table)["amount"].proposed == CONVERSIONS["minor-to-major"]
    confirmed = _matched(table, {"amount_cents": "minor-to-major"})["amount"]
    assert confirmed.applied == CONVERSIONS["minor-to-major"]
    assert confirmed.distribution_score > 0.9


def test_a_missing_field_has_no_counterpart() -> None:
    found = _matched(card_table(2000, 2).drop_columns(["merchant_id"]))
    assert found["merchant_id"].file_column is None
    assert found["merchant_id"].score == 0
