"""A file that is matched."""

from __future__ import annotations

import pyarrow as pa
import pytest

from data.cells.texts import DEFAULT_MISSING
from references.matching.sample import FileSample, MatchOptions
from tests.contracts.matching import file_of, number


def test_a_profile_is_found_by_the_name_of_its_column() -> None:
    file = file_of(pa.table({"amount": [1.5, 2.5], "Amount": [3.5, 4.5]}))
    assert file.profile("Amount").quantiles[0] == 3.5
    assert file.profile("amount").quantiles[0] == 1.5
    with pytest.raises(KeyError):
        file.profile("AMOUNT")


def test_a_file_is_read_as_an_upload_is_if_nothing_is_said() -> None:
    file = FileSample((number("amount", 0, 1),), pa.table({"amount": ["1"]}))
    assert file.decimal == "."
    assert frozenset(file.missing) == DEFAULT_MISSING


def test_options_of_two_files_are_not_shared() -> None:
    one, other = MatchOptions(), MatchOptions()
    one.columns["montant"] = "amount"
    one.convert["montant"] = "minor-to-major"
    assert (other.columns, other.convert) == ({}, {})
