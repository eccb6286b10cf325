"""Texts that are numbers are read; texts that may be two different numbers are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.cells.numbers import NumberStyle, number, numbers
from data.cells.texts import DEFAULT_MISSING


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$60,000.00", 60000.0),
        ("-$5", -5.0),
        ("$(1,234.50)", -1234.5),
        ("(12.50)", -12.5),
        ("12.50-", -12.5),
        ("\u22125", -5.0),
        ("1 234.50", 1234.5),
        ("1\u202f234.50", 1234.5),
        ("1'234.50", 1234.5),
        ("1,23,456.00", 123456.0),
        ("EUR 12.50", 12.5),
        ("12.50 €", 12.5),
        ("1e+05", 100000.0),
        ("1.25E+2", 125.0),
        ("12,34", None),
        ("0,123", None),
        ("1,234,56", None),
        ("1.23457E+11", None),
        ("36 months", None),
        ("13%", None),
        ("1_000", None),
        ("٣", None),
        ("abc", None),
    ],
)
def test_amounts(text: str, value: float | None) -> None:
    found = number(text, NumberStyle(exact=True))
    assert (None if found is None else found[0]) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("36 months", 36.0),
        ("10+ years", 10.0),
        ("13.99%", 0.1399),
        ("-5 %", -0.05),
        ("Y", 1.0),
        ("No", 0.0),
        ("true", 1.0),
        ("1976A", None),
        ("< 1 year", None),
        ("12 Main St", None),
    ],
)
def test_cells_of_a_number_column(text: str, value: float | None) -> None:
    found = number(text, NumberStyle(lenient=True))
    assert (None if found is None else pytest.approx(found[0])) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1.234,56", 1234.56), ("1,5", 1.5), ("1.5", None), ("1 234,5 kr", 1234.5)]
)
def test_a_decimal_comma(text: str, value: float | None) -> None:
    found = number(text, NumberStyle(decimal=","))
    assert (None if found is None else found[0]) == value


def test_markers_count_in_columns_of_numbers_as_well() -> None:
    style = NumberStyle(missing=frozenset({"-999", "NULL"}))
    for cells in (pa.array([-999.0, 5.0]), pa.array([-999, 5]), pa.array(["-999", "5"])):
        found = numbers(cells, style)
        assert (found.present.tolist(), found.value.tolist()) == ([False, True], [0.0, 5.0])
    found = numbers(pa.array(["NULL", "", None, "x"]), NumberStyle(missing=DEFAULT_MISSING))
    assert found.present.tolist() == [False, False, False, True]
    assert found.unreadable.tolist() == [False, False, False, True]
    assert np.isfinite(found.value).all()


@pytest.mark.parametrize("text", ["10 K", "1.2 M", "3 bn", "5 million", "2 Mrd", "4 lakh", "7 tsd"])
def test_a_word_that_multiplies_is_not_a_unit(text: str) -> None:
    """10 K beside 500 would be 10: it is unreadable, and reported."""
    assert number(text, NumberStyle(lenient=True)) is None


@pytest.mark.parametrize(
    ("yes", "no"),
    [("Sí", "No"), ("OUI", "NON"), ("ja", "nein"), ("Ja", "Nee"), ("sim", "não"), ("да", "нет")],
)
def test_yes_and_no_of_other_languages(yes: str, no: str) -> None:
    """Both words of a language are read: of sí and no, not only one."""
    cells = pa.array([yes, no, None])
    found = numbers(cells, NumberStyle(lenient=True))
    assert found.value.tolist() == [1.0, 0.0, 0.0]
    assert found.known.tolist() == [True, True, False]
    assert not numbers(cells, NumberStyle()).known.any()


def test_a_long_text_is_no_number_with_a_unit() -> None:
    lenient = NumberStyle(lenient=True)
    assert number(f"1{' ' * 90}d", lenient) == (1.0, "d")
    # Trying every way to split spaces takes time with the square of their number.
    assert number(f"1{' ' * 100}d", lenient) is None
    assert numbers(pa.array(["9" * 300]), NumberStyle()).known.tolist() == [True]
