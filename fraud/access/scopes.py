"""Scopes of API keys: what a key may do. Every call needs one scope or no key at all.

`admin` holds every other scope, also those that a later release adds: it is resolved when a key is
looked up, not when it is stored. No other scope holds another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

Scope = Literal["decide", "read", "label", "plans", "jobs", "admin"]

SCOPES: Final[dict[Scope, str]] = {
    "decide": "make decisions",
    "read": "read decisions, labels, models, plans and reports",
    "label": "report what payments turned out to be",
    "plans": "store, activate and simulate plans",
    "jobs": "score files, read and cancel these jobs",
    "admin": "everything that other scopes allow, also those of later releases",
}
"""Every scope and its meaning, in the order in which keys name them."""

DEFAULT_SCOPES: Final[tuple[Scope, ...]] = ("decide", "read", "label")
"""The scopes of a key that was created without any, or before there were scopes: what every key
could do then. Changing plans and scoring files are given on purpose only."""

ALL_SCOPES: Final[tuple[Scope, ...]] = tuple(SCOPES)


def parse_scopes(text: str) -> tuple[Scope, ...]:
    """Return the scopes in a list such as `decide,read`: each once, in the order of `SCOPES`.

    Raises:
        ValueError: an unknown scope, or none at all; the message names the scopes that exist.

    >>> parse_scopes("read, decide")
    ('decide', 'read')
    """
    names = {name for part in text.split(",") if (name := part.strip())}
    known = f"the scopes are {', '.join(SCOPES)}"
    if not names:
        raise ValueError(f"expected at least one scope; {known}")
    for name in sorted(names - SCOPES.keys()):
        raise ValueError(f"unknown scope {name!r}; {known}")
    return tuple(scope for scope in SCOPES if scope in names)


def granted(names: Iterable[str]) -> frozenset[Scope]:
    """Return everything that a key with these scopes may do.

    Args:
        names: as `api_keys.scopes` holds them. `admin` stands for all; a scope that this release
            does not know grants nothing.
    """
    held = frozenset(names)
    if "admin" in held:
        return frozenset(SCOPES)
    return frozenset(scope for scope in SCOPES if scope in held)
