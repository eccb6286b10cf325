"""The slow path of reading a transaction: every fault in it.

The fast path (`serve_app.http.reading.intake`) stops at the first fault. Then the body is read
again here, by a lenient reader, and each field is checked. The fast path accepts a subset of what
is accepted here, with equal results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fraud.payment import limits, metadata
from fraud.payment.limits import Problem, text_problem
from serve_app.http.reading.fault import (
    MAX_FAULTS,
    Fault,
    Refused,
    fault,
    member_pointer,
    missing_field,
    not_an_object,
    unknown_fields,
)
from serve_app.http.reading.fields import (
    Period,
    read_amount,
    read_degrees,
    read_moment,
    read_text,
)

Row = tuple[Any, ...]
"""One transaction's values in the order of `fraud.payment.batch.TRANSACTION_COLUMNS`, then its
metadata as JSON text, None if there are none."""

_REQUIRED = ("transaction_id", "customer_id", "timestamp", "amount", "currency", "type")
FIELDS = (*_REQUIRED, *limits.OPTIONAL_TEXT, "latitude", "longitude", "metadata")


def inspect_transaction(value: Any, pointer: str, period: Period) -> tuple[Row | None, list[Fault]]:
    """Return a transaction as a row, or every fault in it: exactly one of the two.

    Args:
        value: as `read_json` returned it.
        pointer: its place in the body.
        period: when it may have happened.
    """
    if not isinstance(value, dict):
        return None, [not_an_object(pointer)]
    faults = unknown_fields(value, FIELDS, pointer)
    row: dict[str, Any] = {}
    for name in FIELDS:
        given = value.get(name)
        if given is None:
            if name in _REQUIRED:
                faults.append(missing_field(value, name, pointer))
            continue
        if name == "metadata":
            row[name], found = _metadata(given, f"{pointer}/{name}")
            faults += found
            continue
        try:
            row[name] = _read(name, given, value, period)
        except Refused as refused:
            faults.append(fault(f"{pointer}/{name}", name, refused))
    if "currency" in row and "timestamp" in row:
        problem = limits.withdrawn_problem(row["currency"], row["timestamp"])
        if problem:
            withdrawn = Refused(problem.code, "expected a currency in use at `timestamp`")
            faults.append(fault(f"{pointer}/currency", "currency", withdrawn))
    if faults:
        return None, faults[:MAX_FAULTS]
    return tuple(row.get(name) for name in FIELDS), []


def _metadata(given: Any, pointer: str) -> tuple[str | None, list[Fault]]:
    """Return metadata as JSON text, or every fault in them."""
    if not isinstance(given, dict):
        return None, [fault(pointer, "metadata", Refused("type", "expected an object"))]
    texts = {key: value for key, value in given.items() if isinstance(value, str)}
    problems: list[tuple[str | None, Problem]] = [
        (key, Problem("type", "must be a string")) for key in given if key not in texts
    ]
    problems += metadata.problems(texts)
    faults: list[Fault] = []
    for key, problem in problems:
        place = None if key is None else member_pointer(pointer, key)
        name = "metadata" if place is None else f"metadata.{key}"
        faults.append(fault(place or pointer, name, problem))
    return (None, faults) if faults else (metadata.text_of(texts), [])


def _read(name: str, given: Any, transaction: dict[str, Any], period: Period) -> Any:
    if name == "amount":
        return read_amount(given, transaction.get("currency"))
    if name == "timestamp":
        return read_moment(given, period)
    if name == "latitude":
        return read_degrees(given, 90.0)
    if name == "longitude":
        return read_degrees(given, 180.0)
    return read_text(given, _TEXT_RULES.get(name, text_problem))


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
