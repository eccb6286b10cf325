"""Bytes to columns: what is accepted, what is refused and how it is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from fraud.payment import limits
from fraud.payment.batch import TRANSACTION_COLUMNS, TransactionBatch
from fraud.payment.currency import EXPONENT, to_minor
from fraud.payment.transaction import CHANNELS, TYPES, Transaction
from serve_app.http.problems import MalformedBody, problem_of
from serve_app.http.reading import intake
from serve_app.http.reading.fault import MAX_FAULTS
from serve_app.http.reading.fields import Period
from serve_app.http.reading.intake import Intake
from serve_app.http.reading.json_body import read_json
from serve_app.http.reading.transaction import FIELDS, inspect_transaction
from serve_app.http.wire import schemas
from tests.contracts.front import NOW_MS, payment

DAY_MS = 86_400_000
READER = Intake(1000, 300_000, 3650 * DAY_MS, lambda: NOW_MS)


def read(document: Any) -> TransactionBatch:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return READER.transaction(body, "acme")


def wrong(document: Any) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read(document)
    return {(pointer, code) for pointer, code, _ in caught.value.errors}


def raw(**fields: str) -> bytes:
    """A sound body with fields replaced by JSON text as it stands."""
    parts = {k: json.dumps(v) for k, v in payment().items()} | fields
    return ("{" + ",".join(f'"{k}":{v}' for k, v in parts.items()) + "}").encode()


def test_wire_names_are_the_house_s() -> None:
    assert schemas.TypeName.__args__ == TYPES  # type: ignore[attr-defined]
    assert schemas.ChannelName.__args__ == CHANNELS  # type: ignore[attr-defined]
    renamed = {"timestamp_ms": "timestamp", "amount_minor": "amount"}
    wire = tuple(renamed.get(n, n) for n in TRANSACTION_COLUMNS)
    assert (*wire, "metadata") == FIELDS
    assert set(FIELDS) == set(schemas.TransactionIn.__struct_fields__)


def test_a_payment_becomes_a_row() -> None:
    batch = read(payment())
    assert batch.tenant == ["acme"]
    assert batch.row(0) == Transaction(
        "t-1", "c-1", NOW_MS, 12990, "EUR", "purchase", "m-1", "5732", None, "d-1",
        "203.0.113.9", "DE", "online", 52.52, 13.405,
    )  # fmt: skip


def test_optional_fields_may_be_left_out_or_null() -> None:
    optional = ("merchant_id", "merchant_category", "device_id", "ip_address", "country")
    optional = (*optional, "channel", "latitude", "longitude", "counterparty_id")
    left_out = read(payment(**dict.fromkeys(optional, ...)))
    assert left_out == read(payment(**dict.fromkeys(optional)))
    assert left_out.device_id == [None]


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
def test_times_are_whole_milliseconds_inside_the_window(timestamp: str, ms: int | None) -> None:
    if ms is None:
        ((pointer, code),) = wrong(payment(timestamp=timestamp))
        assert pointer == "/timestamp"
        assert code == ("too_far_in_past" if timestamp < "2026" else "too_far_in_future")
    else:
        assert read(payment(timestamp=timestamp)).timestamp_ms == [NOW_MS + ms]


def test_a_payment_out_of_the_window_is_told_the_limit_and_what_to_do() -> None:
    reader = Intake(1000, 300_000, 7 * DAY_MS, lambda: NOW_MS)
    said = {}
    for days in (-8, 1):
        at = datetime.fromtimestamp(NOW_MS / 1000 + days * 86_400, UTC).isoformat()
        with pytest.raises(InvalidInput) as caught:
            reader.transaction(json.dumps(payment(timestamp=at)).encode(), "acme")
        ((pointer, _, said[days]),) = caught.value.errors
        assert pointer == "/timestamp"
    assert "7 days" in said[-8]
    assert "quorum load" in said[-8]
    assert "300 s" in said[1]


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


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 5000])
def test_coordinates_are_finite(number: str) -> None:
    assert wrong(raw(latitude=number)) == {("/latitude", "not_finite")}


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


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"{}{}", b"[" * 50_000, b'{"a":' * 50_000, b"\x00"],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        READER.transaction(body, "acme")


def test_text_beyond_ascii_is_welcome() -> None:
    for text in ("Zürich", "東京-1", "naïve\u00a0café", "🙂"):
        assert read(payment(merchant_id=text)).merchant_id == [text]
        escaped = json.dumps(payment(merchant_id=text), ensure_ascii=True).encode()
        assert READER.transaction(escaped, "acme").merchant_id == [text]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
CANARY = "c4nary-value-7391"
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "transaction_id": st.text(max_size=70),
    "customer_id": st.text(max_size=70) | st.just(CANARY * 5),
    "timestamp": st.datetimes().map(lambda d: d.isoformat() + "Z") | st.text(max_size=30),
    "amount": st.decimals(allow_nan=True).map(str)
    | st.floats()
    | st.integers()
    | st.decimals(min_value=Decimal("0.01"), max_value=10**10, places=2).map(str),
    "currency": st.sampled_from([*sorted(limits.CURRENCIES), "XXQ", CANARY]),
    "type": st.sampled_from([*TYPES, CANARY]),
    "country": st.sampled_from(["DE", "US", "QQ", CANARY]),
    "channel": st.sampled_from([*CHANNELS, CANARY]),
    "ip_address": st.ip_addresses().map(str) | st.text(max_size=50),
    "latitude": st.floats() | st.integers(),
    "longitude": st.floats(-180, 180),
    "merchant_category": st.text(max_size=70) | st.none(),
    "pan": st.just(CANARY),
    "metadata": st.dictionaries(st.text(max_size=45), st.text(max_size=510), max_size=60)
    | st.dictionaries(st.just("4" + CANARY), ANY_JSON)
    | st.dictionaries(st.just("note"), st.just(CANARY * 30)),
}
CHANGES = st.fixed_dictionaries({}, optional={k: v | ANY_JSON for k, v in VALUES.items()})


def outcome(body: bytes) -> Any:
    try:
        return READER.transaction(body, "acme")
    except InvalidInput as error:
        return {(p, c) for p, c, _ in error.errors}


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


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_no_value_is_repeated_and_every_answer_is_sendable(changes: dict[str, Any]) -> None:
    body = json.dumps(payment(**changes)).encode()
    problem = None
    try:
        READER.transaction(body, "acme")
    except InvalidInput as error:
        problem = problem_of(error, "r")
    if problem is not None:
        assert problem.status in (400, 422)
        assert problem.document.errors
        assert CANARY not in problem.body().decode()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | ANY_JSON.map(lambda v: json.dumps(v).encode()))
async def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    statuses = set()
    for read_it in (READER.transaction, READER.batch):
        try:
            result = read_it(body, "acme")
            if not isinstance(result, TransactionBatch):
                await result
        except InvalidInput as error:
            statuses.add(problem_of(error).status)
    assert statuses <= {400, 422}


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


async def test_a_batch_with_a_number_that_is_none_loses_that_row_only() -> None:
    rows = [raw(), raw(amount="NaN"), raw(latitude="1e400")]
    body = b'{"transactions":[' + b",".join(rows) + b"]}"
    batch, verdicts = await READER.batch(body, "acme")
    assert len(batch) == 1
    assert [v and [(p, c) for p, c, _ in v.errors] for v in verdicts] == [
        None,
        [("/transactions/1/amount", "not_finite")],
        [("/transactions/2/latitude", "not_finite")],
    ]


def test_padding_covers_every_currency() -> None:
    assert set(EXPONENT.values()) <= intake._PADDED.keys()


def test_a_currency_of_the_past_is_taken_in_its_time() -> None:
    period = Period(limits.MIN_TIMESTAMP_MS, NOW_MS)
    body = json.dumps(payment(currency="HRK", timestamp="2022-12-31T12:00:00Z")).encode()
    sound = read_json(body)
    row, found = inspect_transaction(sound, "", period)
    assert found == []
    assert row is not None
    assert wrong(payment(currency="HRK")) == {("/currency", "withdrawn")}
    assert read(payment(currency="XDR")).amount_minor == [12990]
