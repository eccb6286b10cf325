"""Every fault of a transaction, and agreement with the fast path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from fraud.errors import InvalidInput
from fraud.payment import limits
from fraud.payment.batch import TRANSACTION_COLUMNS
from serve_app.http.reading.fault import MAX_FAULTS
from serve_app.http.reading.fields import Period
from serve_app.http.reading.json_body import read_json
from serve_app.http.reading.transaction import inspect_transaction
from tests.contracts.front import NOW_MS, payment
from tests.contracts.reading import (
    CHANGES,
    READER,
    outcome,
    read,
    wrong,
)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("timestamp", "2026-03-01T12:00:00", "no_timezone"),
        ("timestamp", "yesterday", "malformed"),
        ("timestamp", "2026-02-28T23:59:60Z", "leap_second"),
        ("timestamp", "2026-03-01t01:59:60.5+02:00", "leap_second"),
        ("timestamp", "2026-02-30T12:00:00Z", "malformed"),
        ("timestamp", 1_772_366_400, "type"),
        ("timestamp", ..., "missing"),
        ("timestamp", None, "type"),
        ("transaction_id", "", "empty"),
        ("transaction_id", "  ", "empty"),
        ("transaction_id", "x" * 65, "too_long"),
        ("transaction_id", "a\x00b", "unprintable"),
        ("transaction_id", "a\x7fb", "unprintable"),
        ("transaction_id", "a\u0085b", "unprintable"),
        ("transaction_id", "a\ud800b", "unprintable"),
        ("transaction_id", 5, "type"),
        ("customer_id", ..., "missing"),
        ("customer_id", {"a": 1}, "type"),
        ("currency", "XXQ", "unknown_currency"),
        ("currency", "eur", "unknown_currency"),
        ("type", "gift", "unknown_type"),
        ("country", "XX", "unknown_country"),
        ("channel", "pigeon", "unknown_channel"),
        ("ip_address", "1.2.3", "malformed"),
        ("ip_address", "fe80::1%\x00", "unprintable"),
        ("latitude", 90.5, "out_of_range"),
        ("longitude", -181, "out_of_range"),
        ("latitude", "52", "type"),
        ("latitude", True, "type"),
        ("device_id", [], "type"),
        ("card_number", "4111111111111111", "unknown_field"),
    ],
)
def test_each_wrong_field_is_named(field: str, value: Any, code: str) -> None:
    assert wrong(payment(**{field: value})) == {(f"/{field}", code)}


def test_every_wrong_field_is_named_at_once() -> None:
    document = payment(amount=-1, currency="XXQ", customer_id=..., latitude=100, extra=1)
    assert wrong(document) == {
        ("/amount", "not_positive"),
        ("/currency", "unknown_currency"),
        ("/customer_id", "missing"),
        ("/latitude", "out_of_range"),
        ("/extra", "unknown_field"),
    }


def test_a_name_that_is_none_is_not_repeated() -> None:
    for name in ("4111111111111111", "x" * 65, "\ud800", "a b", ""):
        assert wrong({**payment(), name: 1}) == {("", "unknown_field")}
    assert wrong({**payment(), "a/b~c": 1}) == {("/a~1b~0c", "unknown_field")}


def test_faults_have_an_end() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(payment(**{f"x{i}": 1 for i in range(10_000)}))
    assert len(caught.value.errors) == MAX_FAULTS


def test_a_currency_of_the_past_is_taken_in_its_time() -> None:
    period = Period(limits.MIN_TIMESTAMP_MS, NOW_MS)
    body = json.dumps(payment(currency="HRK", timestamp="2022-12-31T12:00:00Z")).encode()
    sound = read_json(body)
    row, found = inspect_transaction(sound, "", period)
    assert found == []
    assert row is not None
    assert wrong(payment(currency="HRK")) == {("/currency", "withdrawn")}
    assert read(payment(currency="XDR")).amount_minor == [12990]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(CHANGES)
def test_the_fast_path_agrees_with_the_slow_one(changes: dict[str, Any]) -> None:
    body = json.dumps(payment(**changes)).encode()
    period = READER._period()
    row, found = inspect_transaction(read_json(body), "", period)
    result = outcome(body)
    if row is None:
        assert result == {(p, c) for p, c, _ in found}
    else:
        notes = None if result.metadata is None else result.metadata[0]
        assert (*(getattr(result, name)[0] for name in TRANSACTION_COLUMNS), notes) == row
        assert limits.problems(result.row(0)) == []
