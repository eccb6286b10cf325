"""SQL statements list the columns of payments in the order of a batch."""

from __future__ import annotations

import pytest

from fraud.payment.batch import TRANSACTION_COLUMNS
from stores.statements import statement
from tests.contracts.statements import selected_columns


@pytest.mark.parametrize(
    ("name", "others"), [("payments_before", []), ("payments_loaded", ["received_ms"])]
)
def test_columns_are_those_of_a_transaction(name: str, others: list[str]) -> None:
    found = selected_columns(statement(f"decision_log/readers/sql/{name}.sql"))
    assert found == [*TRANSACTION_COLUMNS, *others]
