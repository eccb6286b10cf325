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
from serve_app.http.reading.faults import (
    EPOCH,
    Fault,
    Refused,
    Window,
    absent,
    read_moment,
    read_text,
    unknown_fields,
)

_FIELDS = ("is_fraud", "source", "known_at")
_IDS = ("decision_id", "transaction_id")


def read_label(value: Any, decision_id: str, latest_ms: int) -> NewLabel:
    """A label of the decision that the path names.

    Args:
        value: what `faults.read_json` made of the body.
        decision_id: from the path.
        latest_ms: latest `known_at` that is no mistake.

    Raises:
        InvalidInput: naming every wrong field.
    """
    readings, faults = _read(value, _FIELDS, "", latest_ms)
    return _label(readings | {"decision_id": decision_id}, faults)


def read_named_label(value: Any, pointer: str, latest_ms: int) -> NewLabel:
    """A label that names its payment itself, at `pointer` in the body; otherwise as read_label."""
    readings, faults = _read(value, _FIELDS + _IDS, pointer, latest_ms)
    if isinstance(value, dict):
        named = [name for name in _IDS if name in value]
        if len(named) != 1:
            detail = "exactly one of decision_id and transaction_id is needed"
            faults.append((f"{pointer}/{_IDS[len(named) // 2]}", "one_of", detail))
    return _label(readings, faults)


def read_labels(value: Any, max_rows: int, latest_ms: int) -> list[NewLabel | InvalidInput]:
    """The labels of a batch, each or what is wrong with it.

    Raises:
        InvalidInput: the body as a whole is wrong.
    """
    if not isinstance(value, dict):
        raise _refused(("", "type", "must be an object"))
    faults = unknown_fields(value, ("labels",), "")
    rows = value.get("labels")
    if rows is None:
        faults.append(absent(value, "labels", ""))
    elif not isinstance(rows, list):
        faults.append(("/labels", "type", "must be an array"))
    elif not rows:
        faults.append(("/labels", "empty", "must hold at least one label"))
    elif len(rows) > max_rows:
        faults.append(("/labels", "too_many", f"must hold at most {max_rows} labels"))
    if faults:
        raise _refused(*faults)
    assert isinstance(rows, list)
    found: list[NewLabel | InvalidInput] = []
    for i, row in enumerate(rows):
        try:
            found.append(read_named_label(row, f"/labels/{i}", latest_ms))
        except InvalidInput as wrong:
            found.append(wrong)
    return found


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
        return {}, [(pointer, "type", "must be an object")]
    faults = unknown_fields(value, fields, pointer)
    window = Window(MIN_TIMESTAMP_MS, latest_ms)
    readers: dict[str, Callable[[Any], Any]] = {
        "is_fraud": _flag,
        "source": lambda given: read_text(given, source_problem),
        "known_at": lambda given: read_moment(given, window),
        "decision_id": lambda given: read_text(given, _id_problem),
        "transaction_id": lambda given: read_text(given, text_problem),
    }
    readings: dict[str, Any] = {}
    for name in fields:
        given = value.get(name)
        if given is None:
            if name in ("is_fraud", "source") or (name in _IDS and name in value):
                faults.append(absent(value, name, pointer))
            continue
        try:
            readings[name] = readers[name](given)
        except Refused as refused:
            faults.append((f"{pointer}/{name}", *refused.fault))
    return readings, faults


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise Refused("type", "must be true or false")
    return given


def _id_problem(value: str) -> Problem | None:
    if parse_decision_id(value) is not None:
        return None
    return Problem("malformed", "must be the decision_id of an answer")
