"""Statements that yield payments name their columns in the order in which batches take them."""

from __future__ import annotations

import re

import pytest

from fraud.batch import TRANSACTION_COLUMNS
from training.data.sql import statement as of_data
from training.sql import statement as of_training


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (of_data("history"), ["is_fraud", "known_at_ms"]),
        (of_training("payments_before"), []),
        (of_training("payments_loaded"), ["received_ms"]),
    ],
    ids=["history", "payments_before", "payments_loaded"],
)
def test_columns_are_those_of_a_transaction(text: str, others: list[str]) -> None:
    listed = re.search(r"\bSELECT\n(.*?)\nFROM transactions", text, re.DOTALL)
    assert listed is not None
    columns = [re.split(r"[ .]", line.strip().rstrip(","))[-1] for line in listed[1].split("\n")]
    assert columns == [*TRANSACTION_COLUMNS, *others]
