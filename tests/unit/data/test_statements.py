"""Statements that yield payments name their columns in the order in which batches take them."""

from __future__ import annotations

import re

import pytest

from fraud.payment.batch import TRANSACTION_COLUMNS
from stores.statements import statement


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (statement("data/history/sql/history.sql"), ["is_fraud", "known_at_ms"]),
        (statement("decision_log/readers/sql/payments_before.sql"), []),
        (statement("decision_log/readers/sql/payments_loaded.sql"), ["received_ms"]),
    ],
    ids=["history", "payments_before", "payments_loaded"],
)
def test_columns_are_those_of_a_transaction(text: str, others: list[str]) -> None:
    listed = re.search(r"\bSELECT\n(.*?)\nFROM transactions", text, re.DOTALL)
    assert listed is not None
    columns = [re.split(r"[ .]", line.strip().rstrip(","))[-1] for line in listed[1].split("\n")]
    assert columns == [*TRANSACTION_COLUMNS, *others]
