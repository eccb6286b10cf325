"""Reading the bodies of requests about plans."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from deciding.plans.activations import Expected
from deciding.plans.versions import MAX_REASON_CHARS, MAX_VERSION, NAME, PlanId
from fraud.errors import InvalidInput
from fraud.payment.limits import MAX_ID_CHARS
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
from serve_app.http.reading.fields import MAX_NUMBER_CHARS
from serve_app.http.reading.json_body import Number

MAX_DEPTH: Final = 64
_MAX_TEXT_CHARS = 1000


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan to store: its document in JSON types, unchecked, and why."""

    document: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class NewActivation:
    """An activation: what is believed active (...: not stated), and why."""

    expected: Expected
    reason: str


def read_new_plan(body: Any) -> NewPlan:
    """Read the body of `POST /v1/plans`.

    Raises:
        InvalidInput: it is wrong; names every fault.
    """
    if not isinstance(body, dict):
        raise refused(not_an_object(""))
    faults = unknown_fields(body, ("document", "reason"), "")
    reason = _reason(body, faults)
    document = read_document(body, faults)
    if faults:
        raise refused(*faults)
    return NewPlan(document, reason)


def read_document(body: dict[str, Any], faults: list[Fault]) -> Any:
    """Return the plan's document in a body in JSON types, and note its faults."""
    given = body.get("document")
    if given is None:
        faults.append(missing_field(body, "document", ""))
    elif not isinstance(given, dict):
        faults.append(not_an_object("/document"))
    else:
        return _plain(given, "/document", 0, faults)
    return None


def read_activation(body: Any) -> NewActivation:
    """Read the body of an activation; None where none was sent.

    Raises:
        InvalidInput: it is wrong; names every fault.
    """
    if body is None:
        return NewActivation(..., "")
    if not isinstance(body, dict):
        raise refused(not_an_object(""))
    faults = unknown_fields(body, ("expected", "reason"), "")
    reason = _reason(body, faults)
    expected: Expected = ...
    if "expected" in body:
        expected = _expected(body["expected"], faults)
    if faults:
        raise refused(*faults)
    return NewActivation(expected, reason)


def in_document(error: InvalidInput) -> InvalidInput:
    """Return the error of a document with pointers into the body that holds it."""
    errors = tuple((f"/document{pointer}", code, detail) for pointer, code, detail in error.errors)
    return InvalidInput(error.detail, errors or (("/document", "not_a_plan", error.detail),))


def read_plan_id(name: str, version: str) -> PlanId | None:
    """Return the name and version in a path, None if no plan can be meant."""
    if (
        not NAME.fullmatch(name)
        or not version.isascii()
        or not version.isdigit()
        or len(version) > 10
    ):
        return None
    number = int(version)
    return PlanId(name, number) if 1 <= number <= MAX_VERSION else None


def _reason(body: dict[str, Any], faults: list[Fault]) -> str:
    given = body.get("reason", "")
    if not isinstance(given, str):
        faults.append(fault("/reason", "reason", Refused("type", "expected a string")))
    elif len(given) > MAX_REASON_CHARS:
        what = Refused("too_long", f"expected at most {MAX_REASON_CHARS} characters")
        faults.append(fault("/reason", "reason", what))
    elif not _is_storable(given):
        what = Refused("control_character", "expected text without NUL and lone surrogates")
        faults.append(fault("/reason", "reason", what))
    else:
        return given
    return ""


def _expected(given: Any, faults: list[Fault]) -> Expected:
    if given is None:
        return None
    if not isinstance(given, dict):
        faults.append(fault("/expected", "expected", Refused("type", "expected an object or null")))
        return None
    faults.extend(unknown_fields(given, ("name", "version"), "/expected"))
    name, version = given.get("name"), given.get("version")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        faults.append(fault("/expected/name", "name", Refused("type", "expected a plan's name")))
    found = (
        read_plan_id("any", version.text.removesuffix(".0"))
        if isinstance(version, Number)
        else None
    )
    if found is None:
        what = Refused("type", f"expected a whole number from 1 to {MAX_VERSION}")
        faults.append(fault("/expected/version", "version", what))
        return None
    return PlanId(name if isinstance(name, str) else "", found.version)


def _plain(value: Any, pointer: str, depth: int, faults: list[Fault]) -> Any:
    """A value with its numbers as int or float. What PostgreSQL cannot keep is a fault."""
    if len(faults) >= MAX_FAULTS:
        return None
    if depth > MAX_DEPTH:
        faults.append((pointer, "too_deep", f"Expected at most {MAX_DEPTH} levels"))
    elif isinstance(value, dict):
        return {
            key: _plain(item, member_pointer(pointer, key) or pointer, depth + 1, faults)
            for key, item in value.items()
            if _is_key(key, pointer, faults)
        }
    elif isinstance(value, list):
        return [_plain(v, f"{pointer}/{i}", depth + 1, faults) for i, v in enumerate(value)]
    elif isinstance(value, Number):
        return _number(value.text, pointer, faults)
    elif isinstance(value, str) and not (_is_storable(value) and len(value) <= _MAX_TEXT_CHARS):
        what = f"Expected at most {_MAX_TEXT_CHARS} characters, no NUL and no lone surrogates"
        faults.append((pointer, "text", what))
    return value


def _is_key(key: str, pointer: str, faults: list[Fault]) -> bool:
    if _is_storable(key) and len(key) <= MAX_ID_CHARS:
        return True
    faults.append((pointer, "unknown_field", "Unknown field, with an unusual name"))
    return False


def _number(text: str, pointer: str, faults: list[Fault]) -> float:
    if len(text) <= MAX_NUMBER_CHARS:
        if text.lstrip("-").isdigit():
            return int(text)
        number = float(text)
        if math.isfinite(number):
            return number
    faults.append((pointer, "not_finite", "Expected a finite number of ordinary length"))
    return 0


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL keeps a text: it refuses NUL and what UTF-8 cannot express."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def refused(*faults: Fault) -> InvalidInput:
    """Return the error of a body with these faults."""
    return InvalidInput("the request cannot be read", faults[:MAX_FAULTS])
