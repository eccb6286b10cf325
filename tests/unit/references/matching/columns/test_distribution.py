"""How alike distributions are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from references.matching.columns.distribution import (
    distribution_scores,
    number_closeness,
    quantiles_of,
)
from references.profile.column import ColumnKind, ColumnProfile
from tests.contracts.matching import category, number


def _one(left: ColumnProfile, right: ColumnProfile) -> float:
    return float(distribution_scores([left], [right])[0, 0])


def test_equal_numbers_score_one_and_disjoint_ones_zero() -> None:
    assert _one(number("a", 0, 10), number("b", 0, 10)) == pytest.approx(1)
    assert _one(number("a", 0, 10), number("b", 20, 30)) == pytest.approx(0, abs=0.05)


def test_half_overlapping_numbers_score_half() -> None:
    assert _one(number("a", 0, 10), number("b", 5, 15)) == pytest.approx(0.5, abs=0.05)


def test_the_scale_of_numbers_around_zero_counts() -> None:
    normal = np.sort(np.random.default_rng(0).normal(0, 1, (1, 21)))
    assert number_closeness(normal, normal / 4)[0, 0] < 0.5


def test_many_equal_values_are_no_gap() -> None:
    mostly_zero = np.array([[0.0] * 15 + [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    assert number_closeness(mostly_zero, mostly_zero)[0, 0] == pytest.approx(1)


def test_scores_are_symmetric() -> None:
    a, b = number("a", 0, 10), number("b", 3, 30)
    assert _one(a, b) == pytest.approx(_one(b, a))


def test_categories_score_by_their_overlap() -> None:
    assert _one(category("a", x=0.5, y=0.5), category("b", x=0.2, z=0.8)) == pytest.approx(0.2)


def test_categories_match_whatever_their_case() -> None:
    assert _one(category("a", POS=0.5, web=0.5), category("b", pos=0.4, Pos=0.1, Web=0.5)) == 1


def test_categories_of_numbers_compare_with_numbers() -> None:
    codes = category("a", **{"0": 0.5, "1": 0.5})
    assert quantiles_of(codes)[0] == 0
    assert quantiles_of(codes)[-1] == 1
    assert not math.isnan(_one(codes, number("b", 0, 1)))


def test_a_number_and_an_id_cannot_be_compared() -> None:
    named = ColumnProfile("id", ColumnKind.IDENTIFIER, 10, 10, 10, pattern="A1{5}")
    assert math.isnan(_one(number("a", 0, 1), named))


def test_ids_score_by_shape_and_repetition() -> None:
    one = ColumnProfile("a", ColumnKind.IDENTIFIER, 100, 100, 100, pattern="A1{5}")
    again = replace(one, distinct=10)
    other = replace(one, pattern="1{16}")
    assert _one(one, one) == pytest.approx(1)
    assert _one(one, again) < 1
    assert _one(one, other) < _one(one, again)


def test_another_period_of_the_same_length_is_no_difference() -> None:
    def month(start: float) -> ColumnProfile:
        quantiles = tuple(np.linspace(start, start + 2.6e6, 21).tolist())
        return ColumnProfile("t", ColumnKind.TIME, 10, 10, 10, quantiles, time_format="iso")

    assert _one(month(1.6e9), month(1.7e9)) == pytest.approx(1)
