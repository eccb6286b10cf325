"""Labels: what a payment turned out to be, and the sources that may state it.

A source may correct itself: its label with the newest `known_at` holds, so an older one that
arrives late has no effect. One source cannot give two labels for the same moment. Across sources
the newest `known_at` holds too; if those are equal, the label that arrived last.
"""

from __future__ import annotations

import re
from typing import Final

from fraud.payment.limits import MAX_ID_CHARS, Problem, text_problem

SOURCES: Final[dict[str, str]] = {
    "chargeback": "the card scheme or bank took the money back",
    "issuer": "the issuer of the card or the account's bank reported it",
    "customer": "the customer reported it",
    "analyst": "an analyst investigated it",
    "rule": "one of your rules decided it",
    "history": "it was loaded with history",
}
"""Source -> what it means."""

OWN_PREFIX: Final = "x-"
PATTERN: Final = f"^({'|'.join(SOURCES)}|{OWN_PREFIX}[a-z0-9][a-z0-9._-]{{0,{MAX_ID_CHARS - 3}}})$"
"""A known source, or one of the caller's own: `x-` and a name in lower case."""

_PATTERN = re.compile(PATTERN)


def source_problem(value: str) -> Problem | None:
    """Return what is wrong with the name of a source, None if nothing is."""
    if problem := text_problem(value):
        return problem
    if _PATTERN.fullmatch(value):
        return None
    known = ", ".join(SOURCES)
    return Problem(
        "unknown_source", f"must be one of {known}, or {OWN_PREFIX} and a name in lower case"
    )
