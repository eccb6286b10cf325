"""Changes of unit that are noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from references.matching.columns.units import (
    CONVERSIONS,
    closeness_after,
    confirmed,
    proposed,
    shape_closeness,
    with_proposal,
)
from references.matching.match import ColumnMatch
from references.profile.column import ColumnKind, ColumnProfile
from tests.contracts.matching import category, number


@pytest.mark.parametrize(
    ("file", "reference", "code"),
    [
        (number("amount", 100, 50_000), number("amount", 1, 500), "minor-to-major"),
        (number("amount", 1, 500), number("amount", 100, 50_000), "major-to-minor"),
        (number("income", 10, 90), number("income", 10_000, 90_000), "thousands-to-ones"),
        (number("income", 10_000, 90_000), number("income", 10, 90), "ones-to-thousands"),
        (number("rate", 1, 99), number("rate", 0.01, 0.99), "percent-to-share"),
        (number("rate", 0.01, 0.99), number("rate", 1, 99), "share-to-percent"),
        (number("amount", -500, -1), number("amount", 1, 500), "opposite-sign"),
        (number("at", 1.60e12, 1.61e12), number("at", 1.60e9, 1.61e9), "epoch-ms-to-s"),
    ],
)
def test_a_unit_is_noticed(file: ColumnProfile, reference: ColumnProfile, code: str) -> None:
    conversion, closeness = proposed(file, reference)
    assert conversion == CONVERSIONS[code]
    assert closeness > 0.5


def test_dates_against_counts_since_1970() -> None:
    dated = ColumnProfile("at", ColumnKind.TIME, 10, 10, 10, (), time_format="iso")
    counted = number("at", 1.60e9, 1.61e9)
    assert proposed(dated, counted)[0] == CONVERSIONS["time-to-epoch-s"]
    assert proposed(counted, dated)[0] == CONVERSIONS["epoch-s-to-time"]


@pytest.mark.parametrize(
    ("file", "reference"),
    [
        (number("a", 0, 10), number("a", 0, 11)),
        (number("a", 0, 10), number("a", 300, 330)),
        (category("a", x=1.0), number("a", 0, 1)),
    ],
)
def test_other_columns_get_no_proposal(file: ColumnProfile, reference: ColumnProfile) -> None:
    assert proposed(file, reference) == (None, 0.0)


def test_a_conversion_is_applied_once_the_sender_confirms_it() -> None:
    cents = number("amount", 100, 50_000)
    assert confirmed(cents, {}) is None
    assert confirmed(cents, {"other": "minor-to-major"}) is None
    assert confirmed(cents, {"amount": "minor-to-major"}) is CONVERSIONS["minor-to-major"]


def test_a_proposal_says_what_to_confirm() -> None:
    match = ColumnMatch("amount", "cents", 0.5, 0.5, 0.5, 1.0, required=True)
    asking = with_proposal(match, CONVERSIONS["minor-to-major"])
    assert asking.proposed is CONVERSIONS["minor-to-major"]
    assert asking.applied is None
    assert asking.note.endswith("such as cents: confirm minor-to-major")


def test_the_shape_is_what_remains_without_the_level() -> None:
    skewed = np.exp(np.linspace(0, 3, 21))
    one = replace(number("a", 0, 1), quantiles=tuple(skewed))
    other = replace(number("a", 0, 1), quantiles=tuple(37 * skewed))
    closeness, factor = shape_closeness(other, one)
    assert closeness == pytest.approx(1, abs=0.05)
    assert factor == pytest.approx(1 / 37)
    assert closeness_after(other, one, 1.0) < 0.2


def test_texts_have_no_shape_and_no_closeness() -> None:
    words = category("a", x=0.5, y=0.5)
    assert shape_closeness(words, number("a", 1, 2)) == (0.0, 1.0)
    assert closeness_after(words, number("a", 1, 2), 1.0) == 0.0
