"""Cells as numbers and codes: the fast path decides as the rules of `data.cells` do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.scoring.cell_values import code_cells, number_cells
from data.category_codes import category_codes
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import DEFAULT_MISSING, texts

PLAIN = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["", "1.50", "-.5", "007", "1e5"]),
)
ODD = st.sampled_from(
    ["nan", "inf", "-inf", "NA", "?", " 12 ", "$60,000.00", "(12.50)", "12 %", "yes", "abc", "-999"]
)


@given(st.lists(st.one_of(PLAIN, ODD, st.none()), max_size=30))
def test_numbers_are_those_of_the_rules(cells):
    array = pa.array(cells, pa.string())
    for missing in (DEFAULT_MISSING, frozenset({"-999"})):
        found = numbers(array, NumberStyle(missing=missing, lenient=True))
        expected = np.where(found.known, found.value, np.nan)
        np.testing.assert_array_equal(number_cells(array, ".", missing), expected)


COMMAS = st.one_of(
    PLAIN.map(lambda text: text.replace(".", ",")),
    st.sampled_from(
        ["1.234,50", "1.234", "1,2,3", ",", "12,5 %", "1 234,5", "n.a.", "inf", "-999"]
    ),
)


@given(st.lists(st.one_of(COMMAS, st.none()), max_size=30))
def test_numbers_with_a_decimal_comma_are_those_of_the_rules(cells):
    array = pa.array(cells, pa.string())
    for missing in (DEFAULT_MISSING, frozenset({"-999"})):
        found = numbers(array, NumberStyle(",", missing=missing, lenient=True))
        expected = np.where(found.known, found.value, np.nan)
        np.testing.assert_array_equal(number_cells(array, ",", missing), expected)


def test_one_odd_cell_does_not_spoil_the_others():
    found = number_cells(pa.array(["1.5", "", None, "n/a", "oops", "2"]), ".", {"n/a"})
    np.testing.assert_array_equal(found, [1.5, np.nan, np.nan, np.nan, np.nan, 2])


def test_decimal_commas():
    assert number_cells(pa.array(["1.234,50", "7"]), ",", ()).tolist() == [1234.5, 7]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([1, None, 3], pa.int64()), [1, np.nan, 3]),
        (pa.array([1.5, np.nan, np.inf], pa.float32()), [1.5, np.nan, np.nan]),
        (pa.array([1.5, -999.0], pa.float64()), [1.5, np.nan]),
        (pa.array([True, False, None]), [1, 0, np.nan]),
        (pa.array(["4", "5", "4"]).dictionary_encode(), [4, 5, 4]),
        (pa.array([], pa.string()), []),
        (pa.array([None, None], pa.string()), [np.nan, np.nan]),
    ],
)
def test_cells_of_any_type(cells, expected):
    np.testing.assert_array_equal(number_cells(cells, ".", {"-999"}), expected)


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b ", "7", "1.0", "NA", ""]))))
def test_codes_are_those_of_training(cells):
    array = pa.array(cells, pa.string())
    expected = category_codes(texts(array, DEFAULT_MISSING).values.to_pylist())
    np.testing.assert_array_equal(code_cells(array, DEFAULT_MISSING), expected)
    np.testing.assert_array_equal(code_cells(array.dictionary_encode(), DEFAULT_MISSING), expected)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([1, 2, None, 1], pa.int64()),
        pa.array([1.0, 2.5, np.nan, None]),
        pa.array([True, False, None]),
        pa.array([], pa.string()),
        pa.nulls(2),
        pa.array([b"\xff", b"a"], pa.binary()),
    ],
)
def test_codes_of_any_type(cells):
    expected = category_codes(texts(cells, DEFAULT_MISSING).values.to_pylist())
    np.testing.assert_array_equal(code_cells(cells, DEFAULT_MISSING), expected)


def test_categories_that_differ_by_case_alone_are_those_of_the_training():
    cells = pa.array(["pos", "POS", "Web", "web", "atm", None])
    expected = category_codes(["POS", "POS", "Web", "web", "atm", None])
    found = code_cells(cells, DEFAULT_MISSING, ("POS", "Web", "web", "mail"))
    np.testing.assert_array_equal(found, expected)
    # Of two that differ by case alone, neither is meant.
    one = code_cells(pa.array(["WEB"]), DEFAULT_MISSING, ("Web", "web"))
    np.testing.assert_array_equal(one, category_codes(["WEB"]))
