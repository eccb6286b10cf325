"""Patterns of times: years of two digits, and patterns that do not determine a time."""

from __future__ import annotations

from datetime import date

import pytest

from data.cells.time_format import FormatInvalid, century, pattern_reader


@pytest.mark.parametrize(("digits", "year"), [(68, 1968), (0, 2000), (26, 2026), (27, 1927)])
def test_a_year_of_two_digits_is_not_in_the_future(digits: int, year: int) -> None:
    assert century(digits, date(2026, 11, 29)) == year


@pytest.mark.parametrize(
    ("pattern", "of_day", "reason"),
    [
        ("%H:%M", False, "year"),
        ("%d/%Y", False, "month"),
        ("%Y-%m-%d %I:%M", False, "%p"),
        ("%Y-%m-%d %K", False, "unknown directive %K"),
        ("%Y-%m-%d %Y", False, "twice"),
        ("%Y-%m-%d", True, "no date"),
        ("%M:%S", True, "hour"),
    ],
)
def test_a_pattern_that_does_not_determine_a_time_says_why(
    pattern: str, of_day: bool, reason: str
) -> None:
    with pytest.raises(FormatInvalid, match=reason):
        pattern_reader(pattern, of_day)
