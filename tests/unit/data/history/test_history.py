"""The statement of a history names its columns in the order in which batches take them."""

from __future__ import annotations

from fraud.payment.batch import TRANSACTION_COLUMNS
from stores.statements import statement
from tests.contracts.statements import selected_columns


def test_columns_are_those_of_a_transaction_and_its_label() -> None:
    found = selected_columns(statement("data/history/sql/history.sql"))
    assert found == [*TRANSACTION_COLUMNS, "is_fraud", "known_at_ms"]
