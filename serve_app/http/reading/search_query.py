"""Reading a query string as a Search, or every wrong parameter in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from fraud.decision import OUTCOMES
from fraud.errors import InvalidInput
from fraud.payment.limits import MAX_ID_CHARS, MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS, text_problem
from serve_app.gateway.search import (
    DAY_MS,
    DEFAULT_PAGE,
    DEFAULT_SPAN_DAYS,
    MAX_PAGE,
    MAX_SPAN_DAYS,
    Position,
    Search,
    read_cursor,
)
from serve_app.http.reading.fault import Fault, Refused, fault
from serve_app.http.reading.fields import Period, read_moment, read_text

_ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS}
_TIME_SCHEMA = {"type": "string", "format": "date-time"}
_OUTCOME_NAMES = tuple(outcome.value for outcome in OUTCOMES)
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "transaction_id": {**_ID_SCHEMA, "description": "decisions on this payment"},
    "customer_id": {**_ID_SCHEMA, "description": "decisions on payments of this customer"},
    "outcome": {
        "type": "string",
        "enum": list(_OUTCOME_NAMES),
        "description": "decisions of this outcome",
    },
    "from": {
        **_TIME_SCHEMA,
        "description": f"decisions made at or after this time; default: {DEFAULT_SPAN_DAYS} days "
        f"before `to`, at most {MAX_SPAN_DAYS}",
    },
    "to": {**_TIME_SCHEMA, "description": "decisions made before this time; default: now"},
    "cursor": {"type": "string", "description": "`next_cursor` of the page before"},
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_PAGE,
        "default": DEFAULT_PAGE,
        "description": "most decisions of a page",
    },
}
"""Parameter -> its JSON Schema, for the OpenAPI document."""

_ANY_TIME = Period(MIN_TIMESTAMP_MS, MAX_TIMESTAMP_MS - 1)
_LOST_PLUS = re.compile(r" ([0-9]{2}:[0-9]{2})$")
_WHOLE = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a payment may lie before and after its decision, milliseconds."""

    past_ms: int
    future_ms: int


def read_search(parameters: Iterable[tuple[str, str]], now_ms: int, reach: Reach) -> Search:
    """Return the search of a query string.

    Args:
        parameters: (name, value), decoded.
        now_ms: milliseconds since the epoch.
        reach: see Reach.

    Raises:
        InvalidInput: with each wrong parameter, its pointer like `/limit`.
    """
    given, faults = _once_each(parameters)
    limit = _whole(given.get("limit"), faults)
    for name in ("transaction_id", "customer_id"):
        _checked(name, given, faults)
    outcome = given.get("outcome")
    if outcome is not None and outcome not in _OUTCOME_NAMES:
        refused = Refused("unknown", f"expected one of {', '.join(_OUTCOME_NAMES)}")
        faults.append(fault("/outcome", "outcome", refused))
    times = {name: _time(name, given, faults) for name in ("from", "to")}
    position = _position(given.get("cursor"), faults)
    if faults:
        raise _refused(*faults)
    from_ms, to_ms = _period(times["from"], times["to"], position, now_ms)
    search = Search(
        from_ms,
        to_ms,
        limit,
        given.get("transaction_id"),
        given.get("customer_id"),
        outcome,
        None if position is None else position.before,
        from_ms - reach.past_ms,
        to_ms + reach.future_ms,
    )
    if position is not None and position.digest != search.digest():
        raise _another_search()
    return search


def _once_each(parameters: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[Fault]]:
    given: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in parameters:
        if name not in PARAMETERS:
            # Refused, since a mistyped name would find everything.
            known = ", ".join(PARAMETERS)
            pointer = f"/{name}" if re.fullmatch(r"[A-Za-z_]{1,64}", name) else ""
            detail = f"Unknown parameter: expected one of {known}"
            faults.append((pointer, "unknown_parameter", detail))
        elif name in given:
            faults.append(fault(f"/{name}", name, Refused("repeated", "expected at most once")))
        given[name] = value
    return given, faults[: len(PARAMETERS)]


def _whole(text: str | None, faults: list[Fault]) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not _WHOLE.fullmatch(text) or int(text) > MAX_PAGE:
        refused = Refused("out_of_range", f"expected a whole number from 1 to {MAX_PAGE}")
        faults.append(fault("/limit", "limit", refused))
        return DEFAULT_PAGE
    return int(text)


def _checked(name: str, given: dict[str, str], faults: list[Fault]) -> None:
    if name in given:
        try:
            read_text(given[name], text_problem)
        except Refused as refused:
            faults.append(fault(f"/{name}", name, refused))


def _time(name: str, given: dict[str, str], faults: list[Fault]) -> int | None:
    if name not in given:
        return None
    try:
        # In a query string an unescaped plus is a space.
        return read_moment(_LOST_PLUS.sub(r"+\1", given[name]), _ANY_TIME)
    except Refused as refused:
        faults.append(fault(f"/{name}", name, refused))
        return None


def _position(cursor: str | None, faults: list[Fault]) -> Position | None:
    if cursor is None:
        return None
    found = read_cursor(cursor)
    if found is None or not MIN_TIMESTAMP_MS <= found.from_ms < found.to_ms <= MAX_TIMESTAMP_MS:
        refused = Refused("malformed", "expected the `next_cursor` of an answer")
        faults.append(fault("/cursor", "cursor", refused))
        return None
    return found


def _period(
    from_ms: int | None, to_ms: int | None, position: Position | None, now_ms: int
) -> tuple[int, int]:
    if position is not None:
        if from_ms not in (None, position.from_ms) or to_ms not in (None, position.to_ms):
            raise _another_search()
        from_ms, to_ms = position.from_ms, position.to_ms
    if to_ms is None:
        to_ms = now_ms if from_ms is None else max(now_ms, from_ms + 1)
    if from_ms is None:
        from_ms = max(to_ms - DEFAULT_SPAN_DAYS * DAY_MS, MIN_TIMESTAMP_MS)
    if from_ms >= to_ms:
        refused = Refused("not_before_to", "expected a time before `to`")
        raise _refused(fault("/from", "from", refused))
    if to_ms - from_ms > MAX_SPAN_DAYS * DAY_MS:
        refused = Refused("span_too_long", f"expected at most {MAX_SPAN_DAYS} days before `to`")
        raise _refused(fault("/from", "from", refused))
    return from_ms, to_ms


def _another_search() -> InvalidInput:
    refused = Refused("another_search", "expected the parameters of the search that it came from")
    return _refused(fault("/cursor", "cursor", refused))


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("the query cannot be read", faults)
