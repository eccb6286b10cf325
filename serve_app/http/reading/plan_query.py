"""Reading the query strings of requests about plans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from deciding.plans.versions import NAME, NAME_PATTERN
from fraud.errors import InvalidInput
from serve_app.http.reading.fault import Fault, Refused, fault

MAX_PLANS: Final = 1000
DEFAULT_PLANS: Final = 100
HOUSE_WORD: Final = "house"

OWNER: Final[dict[str, dict[str, Any]]] = {
    "owner": {
        "type": "string",
        "enum": [HOUSE_WORD],
        "description": "the house's plan, even if the tenant has one of the same name and version",
    }
}
LISTED: Final[dict[str, dict[str, Any]]] = {
    "name": {"type": "string", "pattern": NAME_PATTERN, "description": "plans of this name"},
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_PLANS,
        "default": DEFAULT_PLANS,
        "description": "most plans",
    },
}
"""Parameter -> its JSON Schema, for the OpenAPI document."""

_WHOLE = re.compile(r"[1-9][0-9]{0,4}")


class Listing(NamedTuple):
    """Which plans are listed: of one name (None: of every name), and how many at most."""

    name: str | None
    limit: int


def read_listing(parameters: Iterable[tuple[str, str]]) -> Listing:
    """Return which plans a query string asks for.

    Raises:
        InvalidInput: with each wrong parameter.
    """
    given, faults = _given(parameters, LISTED)
    name, text = given.get("name"), given.get("limit", str(DEFAULT_PLANS))
    if name is not None and not NAME.fullmatch(name):
        faults.append(fault("/name", "name", Refused("out_of_range", "expected a plan's name")))
    if not _WHOLE.fullmatch(text) or int(text) > MAX_PLANS:
        what = Refused("out_of_range", f"expected a whole number from 1 to {MAX_PLANS}")
        faults.append(fault("/limit", "limit", what))
    if faults:
        raise _refused(faults)
    return Listing(name, int(text))


def read_of_house(parameters: Iterable[tuple[str, str]]) -> bool:
    """Return whether a query string asks for the house's plan.

    Raises:
        InvalidInput: with each wrong parameter.
    """
    given, faults = _given(parameters, OWNER)
    if given.get("owner") not in (None, HOUSE_WORD):
        what = Refused("unknown", f"expected {HOUSE_WORD}, or no such parameter")
        faults.append(fault("/owner", "owner", what))
    if faults:
        raise _refused(faults)
    return "owner" in given


def _given(
    parameters: Iterable[tuple[str, str]], known: Mapping[str, Any]
) -> tuple[dict[str, str], list[Fault]]:
    given: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in parameters:
        if name not in known:
            detail = f"Unknown parameter: expected one of {', '.join(known)}"
            pointer = f"/{name}" if re.fullmatch(r"[A-Za-z_]{1,64}", name) else ""
            faults.append((pointer, "unknown_parameter", detail))
        elif name in given:
            faults.append(fault(f"/{name}", name, Refused("repeated", "expected at most once")))
        given[name] = value
    return given, faults[:10]


def _refused(faults: list[Fault]) -> InvalidInput:
    return InvalidInput("the query cannot be read", tuple(faults))
