"""Reading a query string as a Search, or every wrong parameter in it."""

from __future__ import annotations

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
from serve_app.http.reading.fault import Refused, fault
from serve_app.http.reading.fields import read_text
from serve_app.http.reading.query import Query, refused_query
from serve_app.http.wire.texts import PRINTABLE

_ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS, **PRINTABLE}
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
    query = Query.read(parameters, PARAMETERS)
    limit = query.whole("limit", MAX_PAGE) or DEFAULT_PAGE
    for name in ("transaction_id", "customer_id"):
        _check_id(name, query)
    outcome = query.one_of("outcome", _OUTCOME_NAMES)
    times = [query.moment(name) for name in ("from", "to")]
    position = _position(query)
    query.require_faultless()
    from_ms, to_ms = _period(times[0], times[1], position, now_ms)
    search = Search(
        from_ms,
        to_ms,
        limit,
        query.given.get("transaction_id"),
        query.given.get("customer_id"),
        outcome,
        None if position is None else position.before,
        from_ms - reach.past_ms,
        to_ms + reach.future_ms,
    )
    if position is not None and position.digest != search.digest():
        raise _another_search()
    return search


def _check_id(name: str, query: Query) -> None:
    if name in query.given:
        try:
            read_text(query.given[name], text_problem)
        except Refused as refused:
            query.note(name, refused)


def _position(query: Query) -> Position | None:
    cursor = query.given.get("cursor")
    if cursor is None:
        return None
    found = read_cursor(cursor)
    if found is None or not MIN_TIMESTAMP_MS <= found.from_ms < found.to_ms <= MAX_TIMESTAMP_MS:
        query.note("cursor", Refused("malformed", "expected the `next_cursor` of an answer"))
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
        raise refused_query(fault("/from", "from", refused))
    if to_ms - from_ms > MAX_SPAN_DAYS * DAY_MS:
        refused = Refused("span_too_long", f"expected at most {MAX_SPAN_DAYS} days before `to`")
        raise refused_query(fault("/from", "from", refused))
    return from_ms, to_ms


def _another_search() -> InvalidInput:
    refused = Refused("another_search", "expected the parameters of the search that it came from")
    return refused_query(fault("/cursor", "cursor", refused))
