"""Readers of single fields, lenient in form and exact in value. Each raises Refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple

import msgspec

from fraud.payment import limits
from fraud.payment.currency import to_minor
from fraud.payment.limits import Problem, text_problem
from serve_app.http.reading.fault import Refused
from serve_app.http.reading.json_body import Number

MAX_NUMBER_CHARS = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LEAP_SECOND = re.compile(r"[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}:60")


class Period(NamedTuple):
    """When something may have happened, milliseconds since the epoch, both bounds inclusive.

    Attributes:
        too_early, too_late: the expectation where a time lies outside.
    """

    earliest_ms: int
    latest_ms: int
    too_early: str = "too far in the past"
    too_late: str = "too far in the future; check the clock"


def read_text(given: Any, rule: Callable[[str], Problem | None]) -> str:
    """Return a text that keeps to a rule."""
    if not isinstance(given, str):
        raise Refused("type", "expected a string")
    # The rule of ids holds for every text: a code may be short, but never hold a NUL.
    if problem := text_problem(given) or rule(given):
        raise Refused(*problem)
    return given


def read_moment(given: Any, period: Period) -> int:
    """Return a time within a period, milliseconds since the epoch, rounded down."""
    moment = _timestamp_ms(given)
    if moment > period.latest_ms:
        raise Refused("too_far_in_future", period.too_late)
    if moment < period.earliest_ms:
        raise Refused("too_far_in_past", period.too_early)
    if problem := limits.timestamp_problem(moment):
        raise Refused(*problem)
    return moment


def read_degrees(given: Any, limit: float) -> float:
    """Return degrees from -limit to limit."""
    if not isinstance(given, Number):
        raise Refused("type", "expected a number")
    degrees = float(given.text)
    if degrees != degrees or abs(degrees) == float("inf"):
        raise Refused("not_finite", "expected a finite number")
    if problem := limits.degrees_problem(degrees, limit):
        raise Refused(*problem)
    return degrees


def read_amount(given: Any, currency: Any) -> int:
    """Return an amount in minor units of `currency`; 0 if the currency is wrong, which is a fault
    of its own."""
    if isinstance(given, Number):
        text, form = given.text, _NUMBER
        if not form.fullmatch(text):
            raise Refused("not_finite", "expected a finite number")
    elif isinstance(given, str):
        text, form = given, _PLAIN
    else:
        raise Refused("type", "expected a number or a decimal string")
    if len(text) > MAX_NUMBER_CHARS:
        raise Refused("too_long", f"must have at most {MAX_NUMBER_CHARS} characters")
    if not form.fullmatch(text):
        raise Refused("malformed", "expected a decimal number such as 12.34")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Refused("out_of_range", "its exponent is out of range") from None
    if amount <= 0:
        raise Refused("not_positive", "expected an amount greater than zero")
    # Ruled out first: what is left has few digits, so that to_minor is exact.
    if amount.adjusted() > 15:
        raise Refused("too_large", "must be at most 10,000,000,000")
    if not isinstance(currency, str) or currency not in limits.CURRENCIES:
        return 0
    return _minor(amount, currency)


def rows_problem(rows: Any, max_rows: int) -> Refused | None:
    """Return why a value is not the rows of a batch, None if it is."""
    if not isinstance(rows, list):
        return Refused("type", "expected an array")
    if not rows:
        return Refused("empty", "expected at least one row")
    if len(rows) > max_rows:
        return Refused("too_many", f"expected at most {max_rows} rows")
    return None


def _timestamp_ms(value: Any) -> int:
    if not isinstance(value, str):
        raise Refused("type", "expected a string, RFC 3339 with a time zone")
    try:
        moment: datetime = msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)])
    except (msgspec.ValidationError, ValueError):
        if _LEAP_SECOND.match(value):
            raise Refused("leap_second", "send a leap second as second 59") from None
        try:
            msgspec.convert(value, datetime)
        except (msgspec.ValidationError, ValueError):
            raise Refused("malformed", "expected RFC 3339, e.g. 2026-03-01T12:00:00Z") from None
        raise Refused("no_timezone", "expected a time zone, e.g. Z or +02:00") from None
    return (moment - EPOCH) // MILLISECOND


def _minor(amount: Decimal, currency: str) -> int:
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    while exponent < 0 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    try:
        if exponent < -3:
            raise ValueError
        minor = to_minor(Decimal((sign, digits, exponent)), currency)
    except ValueError:
        raise Refused(
            "too_many_decimals", f"expected no more decimals than {currency} has"
        ) from None
    if problem := limits.amount_problem(minor, currency):
        raise Refused(*problem)
    return minor
