"""Names in the options that do not exist."""

from __future__ import annotations

import pytest

from fraud.errors import InvalidInput
from references.matching.overrides import check_options, named
from references.matching.sample import MatchOptions
from tests.contracts.matching import file_of, shop_table, stored

FILE = file_of(shop_table(100, 1))
REFERENCES = [stored(shop_table(100, 2))]


@pytest.mark.parametrize(
    ("options", "pointer", "code"),
    [
        (MatchOptions(columns={"a/b": "amount"}), "/columns/a~1b", "unknown_column"),
        (MatchOptions(columns={"amount": "zz"}), "/columns/amount", "unknown_column"),
        (
            MatchOptions(columns={"amount": "items", "items": "items"}),
            "/columns/items",
            "taken_twice",
        ),
        (MatchOptions(convert={"zz": "minor-to-major"}), "/convert/zz", "unknown_column"),
        (MatchOptions(convert={"amount": "magic"}), "/convert/amount", "unknown_conversion"),
        (MatchOptions(model=("shop", "zz")), "/model/1", "unknown_reference"),
        (MatchOptions(ignore=("zz",)), "/ignore/0", "unknown_column"),
    ],
)
def test_a_name_that_does_not_exist_is_told(options: MatchOptions, pointer: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_options(FILE, REFERENCES, options)
    assert [error[:2] for error in caught.value.errors] == [(pointer, code)]


def test_names_that_exist_are_accepted() -> None:
    options = MatchOptions(
        model=("shop",), columns={"amount": "", "items": "customer_id"}, ignore=("category",),
        convert={"amount": "minor-to-major"},
    )  # fmt: skip
    check_options(FILE, REFERENCES, options)


def test_references_are_named_with_or_without_version() -> None:
    assert named(REFERENCES, MatchOptions(model=("shop",))) == {REFERENCES[0].id}
    assert named(REFERENCES, MatchOptions(model=(REFERENCES[0].id,))) == {REFERENCES[0].id}
    assert named(REFERENCES, MatchOptions()) == set()
