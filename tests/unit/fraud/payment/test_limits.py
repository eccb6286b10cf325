"""The rules that API, loader and generator share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraud.payment import limits
from fraud.payment.transaction import Transaction

SOUND = Transaction("t1", "c1", 1_700_000_000_000, 1234, "USD", "purchase")


def test_a_sound_row_has_no_problem() -> None:
    assert limits.problems(SOUND) == []


@pytest.mark.parametrize(
    ("field", "change", "code"),
    [
        ("transaction_id", {"transaction_id": ""}, "empty"),
        ("transaction_id", {"transaction_id": "x" * 65}, "too_long"),
        ("customer_id", {"customer_id": "a\x00b"}, "unprintable"),
        ("customer_id", {"customer_id": "a\ud800"}, "unprintable"),
        ("timestamp", {"timestamp_ms": 1_700_000_000}, "out_of_range"),
        ("amount", {"amount_minor": 0}, "not_positive"),
        ("amount", {"amount_minor": 10**12 + 1}, "too_large"),
        ("currency", {"currency": "XXX"}, "unknown"),
        ("type", {"type": "gift"}, "unknown"),
        ("country", {"country": "ZZ"}, "unknown"),
        ("channel", {"channel": "pigeon"}, "unknown"),
        ("ip_address", {"ip_address": "300.1.1.1"}, "malformed"),
        ("ip_address", {"ip_address": "fe80::1%" + "x" * 99}, "malformed"),
        ("ip_address", {"ip_address": "fe80::1%\x00"}, "malformed"),
        ("latitude", {"latitude": float("nan")}, "out_of_range"),
        ("longitude", {"longitude": 180.5}, "out_of_range"),
    ],
)
def test_each_rule_names_its_field_and_not_the_value(
    field: str, change: dict[str, object], code: str
) -> None:
    row = replace(SOUND, **change)  # type: ignore[arg-type]
    [(got, problem)] = limits.problems(row)
    assert (got, problem.code) == (field, code)
    value = str(next(iter(change.values())))
    assert len(value) < 2 or value not in problem.detail


def test_the_cap_on_amounts_is_in_currency_units_whatever_the_exponent() -> None:
    assert limits.amount_problem(10**10, "JPY") is None
    assert limits.amount_problem(10**10 + 1, "JPY") is not None
    assert limits.amount_problem(10**13, "KWD") is None


def test_every_country_is_two_letters() -> None:
    assert len(limits.COUNTRIES) == 250
    assert all(len(c) == 2 and c.isupper() for c in limits.COUNTRIES)
