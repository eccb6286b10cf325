"""Reading the query strings of requests about plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from deciding.plans.versions import NAME, NAME_PATTERN
from serve_app.http.reading.fault import Refused
from serve_app.http.reading.query import Query

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


class Listing(NamedTuple):
    """Which plans are listed: of one name (None: of every name), and how many at most."""

    name: str | None
    limit: int


def read_listing(parameters: Iterable[tuple[str, str]]) -> Listing:
    """Return which plans a query string asks for.

    Raises:
        InvalidInput: with each wrong parameter.
    """
    query = Query.read(parameters, LISTED)
    name, limit = query.given.get("name"), query.whole("limit", MAX_PLANS)
    if name is not None and not NAME.fullmatch(name):
        query.note("name", Refused("out_of_range", "expected a plan's name"))
    query.require_faultless()
    return Listing(name, limit or DEFAULT_PLANS)


def read_of_house(parameters: Iterable[tuple[str, str]]) -> bool:
    """Return whether a query string asks for the house's plan.

    Raises:
        InvalidInput: with each wrong parameter.
    """
    query = Query.read(parameters, OWNER)
    if query.given.get("owner") not in (None, HOUSE_WORD):
        query.note("owner", Refused("unknown", f"expected {HOUSE_WORD}, or no such parameter"))
    query.require_faultless()
    return "owner" in query.given
