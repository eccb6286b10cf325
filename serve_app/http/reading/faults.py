"""The slow path of reading a body: every fault in it, each with its place and a stable code.

The fast path (`serve_app.http.reading.intake`) stops at the first fault. Then the body is read
again here, by a lenient reader that keeps numbers as text, and each field is looked at. What this
module accepts is accepted; the fast path only ever accepts a part of it, with equal results.

No value of the client's is repeated: faults hold pointers, codes and fixed sentences. A pointer
repeats a field's name only where it looks like a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec

from fraud.payment import limits, metadata
from fraud.payment.currency import to_minor
from fraud.payment.limits import Problem, text_problem
from serve_app.http.problems import MalformedBody

Fault = tuple[str, str, str]
"""(RFC 6901 pointer, code, detail)"""

Row = tuple[Any, ...]
"""One transaction's values in the order of `fraud.payment.batch.TRANSACTION_COLUMNS`, then its
metadata as JSON text, None if there are none."""

MAX_FAULTS = 100
"""Faults told of one transaction at most: a body of nothing but wrong names has an end."""

MAX_NUMBER_CHARS = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./~-]{0,63}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LEAP_SECOND = re.compile(r"[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}:60")
_REQUIRED = ("transaction_id", "customer_id", "timestamp", "amount", "currency", "type")
_FIELDS = (*_REQUIRED, *limits.OPTIONAL_TEXT, "latitude", "longitude", "metadata")


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number, as it was written; also NaN and Infinity, which are not JSON."""

    text: str


class Window(NamedTuple):
    """Between which times a payment may lie, milliseconds since the epoch, both inclusive.

    Attributes:
        too_early, too_late: what is said of one that lies elsewhere.
    """

    earliest_ms: int
    latest_ms: int
    too_early: str = "lies too far in the past"
    too_late: str = "lies too far in the future"


class Refused(Exception):
    """A value is refused: `fault` is its code and detail."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.fault = (code, detail)


def read_json(body: bytes) -> Any:
    """The body, numbers as `Number`, of a repeated name the last value.

    Raises:
        MalformedBody: it is not UTF-8, not JSON or nested too deep.
    """
    try:
        return json.loads(
            body.decode(), parse_float=Number, parse_int=Number, parse_constant=Number
        )
    except UnicodeDecodeError:
        _malformed("not_utf8", "the body is not UTF-8")
    except json.JSONDecodeError as error:
        _malformed("not_json", f"not JSON from line {error.lineno}, column {error.colno} on")
    except RecursionError:
        _malformed("too_deep", "the body is nested too deep")


def inspect_transaction(value: Any, pointer: str, window: Window) -> tuple[Row | None, list[Fault]]:
    """A transaction as a row, or every fault in it: exactly one of the two.

    Args:
        value: what `read_json` made of it.
        pointer: where in the body it lies.
        window: when it may have happened.
    """
    if not isinstance(value, dict):
        return None, [(pointer, "type", "must be an object")]
    faults = unknown_fields(value, _FIELDS, pointer)
    row: dict[str, Any] = {}
    for name in _FIELDS:
        given = value.get(name)
        if given is None:
            if name in _REQUIRED:
                faults.append(absent(value, name, pointer))
            continue
        if name == "metadata":
            row[name], wrong = _metadata(given, f"{pointer}/{name}")
            faults += wrong
            continue
        try:
            row[name] = _read(name, given, value, window)
        except Refused as refused:
            faults.append((f"{pointer}/{name}", *refused.fault))
    if "currency" in row and "timestamp" in row:
        problem = limits.withdrawn_problem(row["currency"], row["timestamp"])
        if problem:
            faults.append((f"{pointer}/currency", *problem))
    if faults:
        return None, faults[:MAX_FAULTS]
    return tuple(row.get(name) for name in _FIELDS), []


def unknown_fields(value: dict[str, Any], known: tuple[str, ...], pointer: str) -> list[Fault]:
    """A fault for each name that is not known, `MAX_FAULTS` at most."""
    faults: list[Fault] = []
    for name in value:
        if name in known:
            continue
        place = _place(pointer, name)
        if place is not None:
            faults.append((place, "unknown_field", "there is no such field"))
        else:
            faults.append((pointer, "unknown_field", "a field's name is not one of the known"))
        if len(faults) == MAX_FAULTS:
            break
    return faults


def _place(pointer: str, name: str) -> str | None:
    """The pointer to a member that the client named, None where its name is not told: what does not
    look like a name might be a value in the wrong place."""
    if not _NAME.fullmatch(name):
        return None
    escaped = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def _metadata(given: Any, pointer: str) -> tuple[str | None, list[Fault]]:
    """Metadata as JSON text, or every fault in them."""
    if not isinstance(given, dict):
        return None, [(pointer, "type", "must be an object")]
    texts = {key: value for key, value in given.items() if isinstance(value, str)}
    faults: list[Fault] = [
        (_place(pointer, key) or pointer, "type", "must be a string")
        for key in given
        if key not in texts
    ]
    for name, problem in metadata.problems(texts):
        place = None if name is None else _place(pointer, name)
        faults.append((place or pointer, *problem))
    return (None, faults) if faults else (metadata.text_of(texts), [])


def _timestamp_ms(value: Any) -> int:
    """Milliseconds since the epoch, rounded down, of an RFC 3339 text with a zone."""
    if not isinstance(value, str):
        raise Refused("type", "must be a string, RFC 3339 with a zone")
    try:
        moment: datetime = msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)])
    except (msgspec.ValidationError, ValueError):
        if _LEAP_SECOND.match(value):
            raise Refused("leap_second", "a second ends at 59: send a leap second as 59") from None
        try:
            msgspec.convert(value, datetime)
        except (msgspec.ValidationError, ValueError):
            raise Refused("malformed", "must be RFC 3339, e.g. 2026-03-01T12:00:00Z") from None
        raise Refused("no_timezone", "must have a zone, e.g. Z or +02:00") from None
    return (moment - EPOCH) // MILLISECOND


def absent(value: dict[str, Any], name: str, pointer: str) -> Fault:
    """The fault of a required member that is missing or null."""
    if name in value:
        return (f"{pointer}/{name}", "type", "must not be null")
    return (f"{pointer}/{name}", "missing", "is required")


def _read(name: str, given: Any, transaction: dict[str, Any], window: Window) -> Any:
    if name == "amount":
        return _amount(given, transaction.get("currency"))
    if name == "timestamp":
        return read_moment(given, window)
    if name == "latitude":
        return _degrees(given, 90.0)
    if name == "longitude":
        return _degrees(given, 180.0)
    return read_text(given, _TEXT_RULES.get(name, text_problem))


def read_text(given: Any, rule: Callable[[str], Problem | None]) -> str:
    """A text that keeps to a rule. Raises Refused."""
    if not isinstance(given, str):
        raise Refused("type", "must be a string")
    # Every text is also held against the rule for ids: a code may be short, but never a NUL.
    if problem := text_problem(given) or rule(given):
        raise Refused(*problem)
    return given


def _renamed(rule: Callable[[str], Problem | None], code: str) -> Callable[[str], Problem | None]:
    def renamed(value: str) -> Problem | None:
        problem = rule(value)
        return None if problem is None else Problem(code, problem.detail)

    return renamed


_TEXT_RULES: dict[str, Callable[[str], Problem | None]] = {
    **limits.OPTIONAL_TEXT,
    "currency": _renamed(limits.currency_problem, "unknown_currency"),
    "type": _renamed(limits.type_problem, "unknown_type"),
    "country": _renamed(limits.country_problem, "unknown_country"),
    "channel": _renamed(limits.channel_problem, "unknown_channel"),
}


def read_moment(given: Any, window: Window) -> int:
    """A time within a window, milliseconds since the epoch. Raises Refused."""
    moment = _timestamp_ms(given)
    if moment > window.latest_ms:
        raise Refused("too_far_in_future", window.too_late)
    if moment < window.earliest_ms:
        raise Refused("too_far_in_past", window.too_early)
    if problem := limits.timestamp_problem(moment):
        raise Refused(*problem)
    return moment


def _degrees(given: Any, limit: float) -> float:
    if not isinstance(given, Number):
        raise Refused("type", "must be a number")
    degrees = float(given.text)
    if degrees != degrees or abs(degrees) == float("inf"):
        raise Refused("not_finite", "must be a finite number")
    if problem := limits.degrees_problem(degrees, limit):
        raise Refused(*problem)
    return degrees


def _amount(given: Any, currency: Any) -> int:
    """Minor units of `currency`; 0 if the currency is wrong, which is a fault of its own."""
    if isinstance(given, Number):
        text, form = given.text, _NUMBER
        if not form.fullmatch(text):
            raise Refused("not_finite", "must be a finite number")
    elif isinstance(given, str):
        text, form = given, _PLAIN
    else:
        raise Refused("type", "must be a number or a decimal string")
    if len(text) > MAX_NUMBER_CHARS:
        raise Refused("too_long", f"must have at most {MAX_NUMBER_CHARS} characters")
    if not form.fullmatch(text):
        raise Refused("malformed", "must be a decimal number such as 12.34")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Refused("out_of_range", "its exponent is out of range") from None
    if amount <= 0:
        raise Refused("not_positive", "must be greater than zero")
    # Ruled out first: what is left has few digits, so that to_minor is exact.
    if amount.adjusted() > 15:
        raise Refused("too_large", "must be at most 10,000,000,000")
    if not isinstance(currency, str) or currency not in limits.CURRENCIES:
        return 0
    return _minor(amount, currency)


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
        raise Refused("too_many_decimals", f"has more decimals than {currency} has") from None
    if problem := limits.amount_problem(minor, currency):
        raise Refused(*problem)
    return minor


def _malformed(code: str, detail: str) -> NoReturn:
    raise MalformedBody(detail, (("", code, detail),)) from None
