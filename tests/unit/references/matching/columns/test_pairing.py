"""Columns one to one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from references.matching.columns.pairing import Wishes, pair_columns
from references.matching.columns.units import CONVERSIONS
from references.matching.match import ColumnMatch
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceColumn
from tests.contracts.matching import category, number

PLAIN = Wishes({}, {})
REFERENCE = (
    ReferenceColumn(number("TX_AMOUNT", 0, 500), 0.6),
    ReferenceColumn(number("age", 18, 90), 0.3),
    ReferenceColumn(category("category", food=0.6, travel=0.4), 0.1),
)


def _pairs(matches: tuple[ColumnMatch, ...]) -> dict[str, str | None]:
    return {match.column: match.file_column for match in matches}


def test_french_names_find_their_columns() -> None:
    file = [
        category("catégorie", food=0.5, travel=0.5),
        number("montant", 1, 480),
        number("alter", 18, 85),
    ]
    expected = {"TX_AMOUNT": "montant", "age": "alter", "category": "catégorie"}
    assert _pairs(pair_columns(file, REFERENCE, PLAIN)) == expected


def test_distributions_alone_do_not_decide_but_help() -> None:
    unlike = [number("page_count", 200, 900)]
    assert _pairs(pair_columns(unlike, REFERENCE[:1], PLAIN)) == {"TX_AMOUNT": None}
    alike = pair_columns([number("kwota", 0, 500)], REFERENCE[:1], PLAIN)[0]
    assert alike.file_column == "kwota"
    assert alike.note == "matched by its values; the names have nothing in common"


def test_names_alone_do_not_make_close() -> None:
    found = pair_columns([number("TX_AMOUNT", 9000, 9500)], REFERENCE[:1], PLAIN)[0]
    assert found.file_column == "TX_AMOUNT"
    assert found.name_score == 1
    assert found.distribution_score < 0.1


def test_numbered_names_count_less_than_distributions() -> None:
    reference = [
        ReferenceColumn(number("V1", 0, 1), 0.5),
        ReferenceColumn(number("V2", 100, 900), 0.5),
    ]
    swapped = [number("V1", 100, 900), number("V2", 0, 1)]
    assert _pairs(pair_columns(swapped, reference, PLAIN)) == {"V1": "V2", "V2": "V1"}


def test_a_unit_is_proposed_and_only_a_confirmed_one_applied() -> None:
    file = [number("amount", 0, 50_000)]
    noticed = pair_columns(file, REFERENCE[:1], PLAIN)[0]
    assert noticed.proposed == CONVERSIONS["minor-to-major"]
    assert noticed.applied is None
    assert noticed.distribution_score < 0.5
    confirmed = pair_columns(file, REFERENCE[:1], Wishes({}, {"amount": "minor-to-major"}))[0]
    assert confirmed.applied == CONVERSIONS["minor-to-major"]
    assert confirmed.distribution_score > 0.9


def test_a_conversion_that_makes_things_worse_is_not_applied() -> None:
    wishes = Wishes({}, {"amount": "minor-to-major"})
    found = pair_columns([number("amount", 0, 500)], REFERENCE[:1], wishes)[0]
    assert found.applied is None


def test_the_sender_knows_better() -> None:
    file = [number("montant", 0, 500), number("zz", 7000, 7100)]
    wished = pair_columns(file, REFERENCE[:2], Wishes({"zz": "TX_AMOUNT"}, {}))
    assert _pairs(wished)["TX_AMOUNT"] == "zz"
    left_out = pair_columns(file, REFERENCE[:1], Wishes({"montant": ""}, {}))
    assert _pairs(left_out) == {"TX_AMOUNT": None}


def test_a_text_with_the_name_of_a_number_is_paired_and_told() -> None:
    text = ColumnProfile("TX_AMOUNT", ColumnKind.TEXT, 10, 10, 10)
    found = pair_columns([text], REFERENCE[:1], PLAIN)[0]
    assert found.file_column == "TX_AMOUNT"
    assert found.note == "the file holds a text, the reference a number"


def test_empty_columns_and_empty_files_have_no_counterparts() -> None:
    empty = ColumnProfile("TX_AMOUNT", ColumnKind.EMPTY, 10, 0)
    assert _pairs(pair_columns([empty], REFERENCE[:1], PLAIN)) == {"TX_AMOUNT": None}
    assert _pairs(pair_columns([], REFERENCE[:1], PLAIN)) == {"TX_AMOUNT": None}


_NAMES = st.sampled_from(
    ["amount", "montant", "V1", "V2", "V3", "x1", "age", "city", "old", "a", "b"]
)
_LIMITS = st.tuples(st.integers(-50, 50), st.integers(1, 100))


@given(
    st.lists(st.tuples(_NAMES, _LIMITS), min_size=1, max_size=8, unique_by=lambda one: one[0]),
    st.lists(st.tuples(_NAMES, _LIMITS), min_size=1, max_size=8, unique_by=lambda one: one[0]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_pairs_are_one_to_one_whatever_the_order(ours, theirs, random) -> None:  # type: ignore[no-untyped-def]
    file = [number(name, low, low + width) for name, (low, width) in ours]
    reference = [ReferenceColumn(number(n, low, low + w), 0.1) for n, (low, w) in theirs]
    found = pair_columns(file, reference, PLAIN)
    used = [match.file_column for match in found if match.file_column is not None]
    assert len(used) == len(set(used))
    assert [match.column for match in found] == [column.name for column in reference]
    random.shuffle(file)
    assert pair_columns(file, reference, PLAIN) == found
    random.shuffle(reference)
    again = {match.column: match for match in pair_columns(file, reference, PLAIN)}
    assert again == {match.column: match for match in found}
