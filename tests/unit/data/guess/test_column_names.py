"""What the names of columns suggest."""

from __future__ import annotations

import pytest

from data.guess.column_names import confidence, normalised


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("timestamp", "horodatage"),
        ("timestamp", "created_ms"),
        ("amount", "Montant"),
        ("merchant_id", "commerçant"),
        ("customer_id", "porteur"),
        ("customer_id", "from_account"),
        ("counterparty_id", "to_account"),
        ("counterparty_id", "beneficiaire"),
    ],
)
def test_names_in_several_languages_are_fields(field: str, name: str) -> None:
    assert confidence(field, name) >= 3


def test_one_of_several_numbered_amounts_is_not_translated() -> None:
    assert confidence("amount", "BILL_AMT1") == 0


def test_all_accents_are_removed() -> None:
    assert normalised("Numéro de série à côté") == "numero_de_serie_a_cote"
