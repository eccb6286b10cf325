"""Faults in what a client sent: where, a stable code, and what was expected. Never the value."""

from __future__ import annotations

import re
from typing import Any

from fraud.payment.limits import Problem

Fault = tuple[str, str, str]
"""(RFC 6901 pointer, code, detail)"""

MAX_FAULTS = 100
"""Most faults that are reported of one object: a body of wrong names only must not be echoed."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./~-]{0,63}")


class Refused(Exception):
    """A value is refused.

    Args:
        code: stable, for machines.
        expectation: completes "Invalid value for `name`: ".
    """

    def __init__(self, code: str, expectation: str) -> None:
        super().__init__(code, expectation)
        self.code = code
        self.expectation = expectation


def fault(pointer: str, name: str, problem: Refused | Problem) -> Fault:
    """Return the fault of a field.

    Args:
        pointer: pointer to the field.
        name: name of the field, as in the request.
        problem: why its value is refused.

    >>> fault("/currency", "currency", Problem("unknown_currency", "must be an ISO 4217 code"))[2]
    'Unknown value for `currency`: expected an ISO 4217 code'
    """
    expectation = problem.detail if isinstance(problem, Problem) else problem.expectation
    if expectation.startswith("must be "):
        expectation = f"expected {expectation.removeprefix('must be ')}"
    return pointer, problem.code, f"{_lead(problem.code)} `{name}`: {expectation}"


def not_an_object(pointer: str) -> Fault:
    """Return the fault of a body, or a row of it, that is not an object."""
    return pointer, "type", "Wrong type: expected an object"


def missing_field(value: dict[str, Any], name: str, pointer: str) -> Fault:
    """Return the fault of a required field that is missing or null.

    Args:
        value: the object.
        name: name of the field.
        pointer: pointer to the object.
    """
    if name in value:
        return fault(f"{pointer}/{name}", name, Refused("type", "must not be null"))
    return f"{pointer}/{name}", "missing", f"Missing field `{name}`: it is required"


def unknown_fields(value: dict[str, Any], known: tuple[str, ...], pointer: str) -> list[Fault]:
    """Return a fault for each name that is not known, at most `MAX_FAULTS`."""
    faults: list[Fault] = []
    for name in value:
        if name in known:
            continue
        place = member_pointer(pointer, name)
        if place is not None:
            faults.append((place, "unknown_field", "Unknown field: expected a documented one"))
        else:
            faults.append((pointer, "unknown_field", "Unknown field, with an unusual name"))
        if len(faults) == MAX_FAULTS:
            break
    return faults


def member_pointer(pointer: str, name: str) -> str | None:
    """Return the pointer to a member that the client named; None where the name is not repeated: if
    it does not look like a name it might be a value in the wrong place."""
    if not _NAME.fullmatch(name):
        return None
    escaped = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def _lead(code: str) -> str:
    if code == "type":
        return "Wrong type for"
    if code.startswith("unknown"):
        return "Unknown value for"
    return "Invalid value for"
