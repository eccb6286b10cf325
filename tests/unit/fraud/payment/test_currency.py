"""Currencies: those of the past count for payments of their time."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fraud.payment import limits
from fraud.payment.currency import CURRENT, EXPONENT, UNTIL_MS, hundredths, to_major, to_minor


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("currency", "last", "after"),
    [
        ("HRK", "2022-12-31T23:59:59", "2023-02-01"),
        ("SLL", "2023-06-01", "2024-01-01"),
        ("CUC", "2020-06-01", "2021-07-01"),
        ("DEM", "2001-12-31", "2002-04-01"),
        ("ITL", "1999-01-01", "2012-01-01"),
        ("ZWL", "2024-01-01", "2025-01-01"),
    ],
)
def test_a_currency_of_the_past_is_one_for_payments_of_its_time(
    currency: str, last: str, after: str
) -> None:
    assert limits.currency_problem(currency) is None
    assert limits.withdrawn_problem(currency, at(last)) is None
    problem = limits.withdrawn_problem(currency, at(after))
    assert problem is not None
    assert problem.code == "withdrawn"


@pytest.mark.parametrize("currency", ["XDR", "XUA", "CHW", "EUR"])
def test_a_current_currency_has_no_end(currency: str) -> None:
    assert limits.currency_problem(currency) is None
    assert limits.withdrawn_problem(currency, at("2099-01-01")) is None


def test_no_code_is_both_current_and_past() -> None:
    assert not CURRENT.keys() & UNTIL_MS.keys()
    assert EXPONENT.keys() == CURRENT.keys() | UNTIL_MS.keys()
    assert all(len(code) == 3 and code.isupper() for code in EXPONENT)
    assert set(EXPONENT.values()) == {0, 2, 3}
    assert min(UNTIL_MS.values()) >= limits.MIN_TIMESTAMP_MS


def test_amounts_of_the_past_are_exact() -> None:
    assert to_minor(Decimal("12.34"), "HRK") == 1234
    assert to_minor(Decimal("50000"), "ITL") == 50000
    assert to_major(1234, "XDR") == Decimal("12.34")
    assert hundredths(50000, "ITL") == 5_000_000
