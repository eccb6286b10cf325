"""Reading the bodies of labels: each as a NewLabel, or every fault in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fraud.errors import InvalidInput
from fraud.label import source_problem
from fraud.payment.limits import MIN_TIMESTAMP_MS, Problem, text_problem
from serve_app.gateway.labels import NewLabel
from serve_app.gateway.queries import parse_decision_id
from serve_app.http.reading.fault import (
    Fault,
    Refused,
    fault,
    missing_field,
    not_an_object,
    unknown_fields,
)
from serve_app.http.reading.fields import EPOCH, Period, read_moment, read_text, rows_problem

_FIELDS = ("is_fraud", "source", "known_at")
_IDS = ("decision_id", "transaction_id")


def read_label(value: Any, decision_id: str, latest_ms: int) -> NewLabel:
    """Return a label of the decision that the path names.

    Args:
        value: the body, as `read_json` returned it.
        decision_id: from the path.
        latest_ms: latest plausible `known_at`.

    Raises:
        InvalidInput: naming every wrong field.
    """
    readings, faults = _read(value, _FIELDS, "", latest_ms)
    return _label(readings | {"decision_id": decision_id}, faults)


def read_named_label(value: Any, pointer: str, latest_ms: int) -> NewLabel:
    """Return a label that names its payment itself, at `pointer` in the body; see read_label."""
    readings, faults = _read(value, _FIELDS + _IDS, pointer, latest_ms)
    if isinstance(value, dict):
        named = [name for name in _IDS if name in value]
        if len(named) != 1:
            detail = "Expected exactly one of `decision_id` and `transaction_id`"
            faults.append((f"{pointer}/{_IDS[len(named) // 2]}", "one_of", detail))
    return _label(readings, faults)


def read_labels(value: Any, max_rows: int, latest_ms: int) -> list[NewLabel | InvalidInput]:
    """Return the labels of a batch; in place of a wrong one its error.

    Raises:
        InvalidInput: the body as a whole is wrong.
    """
    if not isinstance(value, dict):
        raise _refused(not_an_object(""))
    faults = unknown_fields(value, ("labels",), "")
    rows = value.get("labels")
    if rows is None:
        faults.append(missing_field(value, "labels", ""))
    elif problem := rows_problem(rows, max_rows):
        faults.append(fault("/labels", "labels", problem))
    if faults:
        raise _refused(*faults)
    assert isinstance(rows, list)
    labels: list[NewLabel | InvalidInput] = []
    for i, row in enumerate(rows):
        try:
            labels.append(read_named_label(row, f"/labels/{i}", latest_ms))
        except InvalidInput as wrong:
            labels.append(wrong)
    return labels


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("the labels cannot be read", faults)


def _label(readings: dict[str, Any], faults: list[Fault]) -> NewLabel:
    if faults:
        raise InvalidInput("the label cannot be read", tuple(faults))
    known_ms = readings.get("known_at")
    known_at = None if known_ms is None else EPOCH + timedelta(milliseconds=known_ms)
    return NewLabel(
        readings["is_fraud"],
        readings["source"],
        known_at,
        readings.get("decision_id"),
        readings.get("transaction_id"),
    )


def _read(
    value: Any, fields: tuple[str, ...], pointer: str, latest_ms: int
) -> tuple[dict[str, Any], list[Fault]]:
    if not isinstance(value, dict):
        return {}, [not_an_object(pointer)]
    faults = unknown_fields(value, fields, pointer)
    period = Period(MIN_TIMESTAMP_MS, latest_ms)
    readers: dict[str, Callable[[Any], Any]] = {
        "is_fraud": _flag,
        "source": lambda given: read_text(given, source_problem),
        "known_at": lambda given: read_moment(given, period),
        "decision_id": lambda given: read_text(given, _id_problem),
        "transaction_id": lambda given: read_text(given, text_problem),
    }
    readings: dict[str, Any] = {}
    for name in fields:
        given = value.get(name)
        if given is None:
            if name in ("is_fraud", "source") or (name in _IDS and name in value):
                faults.append(missing_field(value, name, pointer))
            continue
        try:
            readings[name] = readers[name](given)
        except Refused as refused:
            faults.append(fault(f"{pointer}/{name}", name, refused))
    return readings, faults


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise Refused("type", "expected true or false")
    return given


def _id_problem(value: str) -> Problem | None:
    if parse_decision_id(value) is not None:
        return None
    return Problem("malformed", "must be the `decision_id` of an answer")
