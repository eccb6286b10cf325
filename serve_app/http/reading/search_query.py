"""Reading a query string as a Search: every parameter that is wrong is named."""

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
from serve_app.http.reading.faults import Fault, Refused, Window, read_moment, read_text

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

_ANY_TIME = Window(MIN_TIMESTAMP_MS, MAX_TIMESTAMP_MS - 1)
_LOST_PLUS = re.compile(r" ([0-9]{2}:[0-9]{2})$")
_WHOLE = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a payment may lie from its decision, milliseconds: before it and after it."""

    past_ms: int
    future_ms: int


def read_search(parameters: Iterable[tuple[str, str]], now_ms: int, reach: Reach) -> Search:
    """The search that a query string asks for.

    Args:
        parameters: (name, value) as they come, decoded.
        now_ms: milliseconds since the epoch.
        reach: see Reach.

    Raises:
        InvalidInput: naming each wrong parameter by a pointer, `/limit`.
    """
    given, faults = _once_each(parameters)
    limit = _whole(given.get("limit"), faults)
    for name in ("transaction_id", "customer_id"):
        _checked(name, given, faults)
    outcome = given.get("outcome")
    if outcome is not None and outcome not in _OUTCOME_NAMES:
        faults.append(("/outcome", "unknown", f"must be one of {', '.join(_OUTCOME_NAMES)}"))
    span = {name: _time(name, given, faults) for name in ("from", "to")}
    place = _place(given.get("cursor"), faults)
    if faults:
        raise _refused(*faults)
    from_ms, to_ms = _span(span["from"], span["to"], place, now_ms)
    search = Search(
        from_ms,
        to_ms,
        limit,
        given.get("transaction_id"),
        given.get("customer_id"),
        outcome,
        None if place is None else place.before,
        from_ms - reach.past_ms,
        to_ms + reach.future_ms,
    )
    if place is not None and place.digest != search.digest():
        raise _another_search()
    return search


def _once_each(parameters: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[Fault]]:
    given: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in parameters:
        if name not in PARAMETERS:
            # A name that is mistyped would find everything.
            known = ", ".join(PARAMETERS)
            place = f"/{name}" if re.fullmatch(r"[A-Za-z_]{1,64}", name) else ""
            faults.append((place, "unknown_parameter", f"the parameters are {known}"))
        elif name in given:
            faults.append((f"/{name}", "repeated", "may be given once"))
        given[name] = value
    return given, faults[: len(PARAMETERS)]


def _whole(text: str | None, faults: list[Fault]) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not _WHOLE.fullmatch(text) or int(text) > MAX_PAGE:
        faults.append(("/limit", "out_of_range", f"must be a whole number from 1 to {MAX_PAGE}"))
        return DEFAULT_PAGE
    return int(text)


def _checked(name: str, given: dict[str, str], faults: list[Fault]) -> None:
    if name in given:
        try:
            read_text(given[name], text_problem)
        except Refused as refused:
            faults.append((f"/{name}", *refused.fault))


def _time(name: str, given: dict[str, str], faults: list[Fault]) -> int | None:
    if name not in given:
        return None
    try:
        # In a query a plus that is not escaped is a space.
        return read_moment(_LOST_PLUS.sub(r"+\1", given[name]), _ANY_TIME)
    except Refused as refused:
        faults.append((f"/{name}", *refused.fault))
        return None


def _place(cursor: str | None, faults: list[Fault]) -> Position | None:
    if cursor is None:
        return None
    place = read_cursor(cursor)
    if place is None or not MIN_TIMESTAMP_MS <= place.from_ms < place.to_ms <= MAX_TIMESTAMP_MS:
        faults.append(("/cursor", "malformed", "must be the next_cursor of an answer"))
        return None
    return place


def _span(
    from_ms: int | None, to_ms: int | None, place: Position | None, now_ms: int
) -> tuple[int, int]:
    if place is not None:
        if from_ms not in (None, place.from_ms) or to_ms not in (None, place.to_ms):
            raise _another_search()
        from_ms, to_ms = place.from_ms, place.to_ms
    if to_ms is None:
        to_ms = now_ms if from_ms is None else max(now_ms, from_ms + 1)
    if from_ms is None:
        from_ms = max(to_ms - DEFAULT_SPAN_DAYS * DAY_MS, MIN_TIMESTAMP_MS)
    if from_ms >= to_ms:
        raise _refused(("/from", "not_before_to", "must lie before to"))
    if to_ms - from_ms > MAX_SPAN_DAYS * DAY_MS:
        detail = f"may lie at most {MAX_SPAN_DAYS} days before to"
        raise _refused(("/from", "span_too_long", detail))
    return from_ms, to_ms


def _another_search() -> InvalidInput:
    detail = "belongs to a search for something else: repeat the parameters that it came with"
    return _refused(("/cursor", "another_search", detail))


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("the query cannot be read; errors names each wrong parameter", faults)
