"""A layout drafted from columns that are in memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from data.files.chunk import SourceUnreadable
from data.guess.column import Column
from data.guess.draft import draft_columns


def test_columns_are_mapped_as_those_of_a_file() -> None:
    n = 60
    columns = [
        Column("horodatage", pa.array([f"2024-01-01T00:{i:02d}:00" for i in range(n)])),
        Column("client", pa.array([f"c{i % 25}" for i in range(n)])),
        Column("montant", pa.array([f"{i + 1}.50" for i in range(n)])),
    ]
    draft = draft_columns(columns, "mine")
    assert draft.name == "mine"
    assert draft.dialect is None
    assert draft.fields["customer_id"] == "client"
    assert draft.fields["amount"] == "montant"


def test_columns_without_numbers_cannot_be_payments() -> None:
    with pytest.raises(SourceUnreadable):
        draft_columns([Column("word", pa.array(["a", "b", "c"]))], "mine")
