"""Amounts, times and coordinates: exact where they are valid, named where they are not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from fraud.payment.currency import to_minor
from serve_app.http.reading.intake import Intake
from tests.contracts.front import NOW_MS, payment
from tests.contracts.reading import (
    DAY_MS,
    outcome,
    raw,
    read,
    wrong,
)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.1", "EUR", 10),
        ("1.005", "KWD", 1005),
        ("4.35", "EUR", 435),
        ("1.50000", "EUR", 150),
        ('"129.90"', "EUR", 12990),
        ('"500"', "JPY", 500),
        ("500.0", "JPY", 500),
        ("1e3", "EUR", 100_000),
        ("1.5E1", "JPY", 15),
        ("10000000000", "USD", 10**12),
        ("9999999999.99", "USD", 10**12 - 1),
    ],
)
def test_amounts_are_exact(amount: str, currency: str, minor: int) -> None:
    assert read(raw(amount=amount, currency=json.dumps(currency))).amount_minor == [minor]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "not_positive"),
        ("-1", "not_positive"),
        ("-0.0", "not_positive"),
        ('"0.00"', "not_positive"),
        ("0.001", "too_many_decimals"),
        ("0.01" + "0" * 50 + "1", "too_many_decimals"),
        ("1e-400", "too_many_decimals"),
        ("10000000000.01", "too_large"),
        ("1e400", "too_large"),
        ("1e99999999999999999999", "out_of_range"),
        ("9" * 5000, "too_long"),
        ("NaN", "not_finite"),
        ("Infinity", "not_finite"),
        ("-Infinity", "not_finite"),
        ('"NaN"', "malformed"),
        ('"1_000"', "malformed"),
        ('"1e3"', "malformed"),
        ('" 1"', "malformed"),
        ('"١٢"', "malformed"),
        ('""', "malformed"),
        ("true", "type"),
        ("[1]", "type"),
        ("null", "type"),
    ],
)
def test_wrong_amounts_are_named(amount: str, code: str) -> None:
    assert wrong(raw(amount=amount)) == {("/amount", code)}


@pytest.mark.parametrize(
    ("timestamp", "ms"),
    [
        ("2026-03-01T12:00:00Z", 0),
        ("2026-03-01T13:00:00+01:00", 0),
        ("2026-03-01t12:00:00z", 0),
        ("2026-03-01T12:00:00.1239Z", 123),
        ("2026-03-01T12:05:00Z", 300_000),
        ("1969-12-31T23:59:59Z", None),
        ("2026-03-01T12:05:00.001Z", None),
        ("2016-03-03T12:00:00Z", -3650 * DAY_MS),
        ("2016-03-03T11:59:59Z", None),
    ],
)
def test_times_are_whole_milliseconds_inside_the_period(timestamp: str, ms: int | None) -> None:
    if ms is None:
        ((pointer, code),) = wrong(payment(timestamp=timestamp))
        assert pointer == "/timestamp"
        assert code == ("too_far_in_past" if timestamp < "2026" else "too_far_in_future")
    else:
        assert read(payment(timestamp=timestamp)).timestamp_ms == [NOW_MS + ms]


def test_a_time_outside_the_period_names_the_limit_and_what_to_do() -> None:
    reader = Intake(1000, 300_000, 7 * DAY_MS, lambda: NOW_MS)
    details = {}
    for days in (-8, 1):
        at = datetime.fromtimestamp(NOW_MS / 1000 + days * 86_400, UTC).isoformat()
        with pytest.raises(InvalidInput) as caught:
            reader.transaction(json.dumps(payment(timestamp=at)).encode(), "acme")
        ((pointer, _, details[days]),) = caught.value.errors
        assert pointer == "/timestamp"
    assert "7 days" in details[-8]
    assert "quorum load" in details[-8]
    assert "300 s" in details[1]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 5000])
def test_coordinates_are_finite(number: str) -> None:
    assert wrong(raw(latitude=number)) == {("/latitude", "not_finite")}


@settings(max_examples=300, deadline=None)
@given(
    st.decimals(min_value=Decimal("0.001"), max_value=10**10, places=3),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.booleans(),
)
def test_amounts_are_to_minor_s_or_too_fine(amount: Decimal, currency: str, quoted: bool) -> None:
    text = f'"{amount}"' if quoted else str(amount)
    result = outcome(raw(amount=text, currency=json.dumps(currency)))
    try:
        expected = to_minor(amount, currency)
    except ValueError:
        assert result == {("/amount", "too_many_decimals")}
    else:
        assert result.amount_minor == [expected]
