"""Numbers as text: the text is true of the number."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.reasons.number_text import (
    CLOCK,
    DEVIATIONS,
    MONEY,
    PERCENT,
    TIMES,
    clock,
    number,
    percent,
)


def test_every_minute_of_the_day_is_written_as_itself():
    # Features are float32: 13:20 is 13.33333302 hours.
    for minute in range(1440):
        at = f"{minute // 60:02d}:{minute % 60:02d}"
        for second in (0.0, 30.0, 59.9):
            assert clock(float(np.float32((minute * 60 + second) / 3600))) == at
    assert CLOCK.value(float(np.float32(86_399.999 / 3600)), "EUR") == "23:59"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0004, "0.0004"),
        (-0.00012, "-0.00012"),
        (0.00001, "0.00001"),
        (0.0312, "0.031"),
        (0.5, "0.5"),
        (8.349, "8.3"),
        (99.96, "100"),
        (1e-12, "0"),
        (-1e-12, "0"),
    ],
)
def test_a_value_above_zero_is_not_written_as_zero(value, text):
    assert number(value) == text


def test_a_share_below_one_is_not_written_as_100_percent():
    text = [percent(v) for v in (0.4, 0.994, 0.996, 0.99999, 1.0)]
    assert text == ["40", "99", "more than 99", "more than 99", "100"]
    assert PERCENT.value(0.9995, "EUR") == "more than 99 %"


def test_deviations_have_a_sign_and_a_number():
    text = [DEVIATIONS.value(v, "EUR") for v in (1.0, -1.0, 2.5, 0.0)]
    assert text == [
        "+1 standard deviation",
        "-1 standard deviation",
        "+2.5 standard deviations",
        "0 standard deviations",
    ]


def test_money_without_a_currency_is_a_number():
    assert MONEY.value(45.0, "") == "45.00"
    assert MONEY.range(1.0, 2.0, "") == "1.00 to 2.00"
    assert TIMES.value(0.00002, "EUR") == "0.00002 times"
