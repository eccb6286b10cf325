"""What a payment turned out to be, and who may say so.

A source corrects itself: of what it said of a payment, that with the newest `known_at` holds, so
something older that comes late changes nothing. One source cannot say two things of one moment. Of
all sources together, again the newest `known_at` holds, and of equal ones the one that came last.
"""

from __future__ import annotations

import re
from typing import Final

from fraud.payment.limits import MAX_ID_CHARS, Problem, text_problem

SOURCES: Final[dict[str, str]] = {
    "chargeback": "the card scheme or bank took the money back",
    "issuer": "the issuer of the card or the account's bank reported it",
    "customer": "the customer said so",
    "analyst": "somebody looked into it",
    "rule": "a rule of yours decided it",
    "history": "it was loaded with history",
}
"""Source -> what it means."""

OWN_PREFIX: Final = "x-"
PATTERN: Final = f"^({'|'.join(SOURCES)}|{OWN_PREFIX}[a-z0-9][a-z0-9._-]{{0,{MAX_ID_CHARS - 3}}})$"
"""A known source, or one of your own: `x-` and a name in small letters."""

_PATTERN = re.compile(PATTERN)


def source_problem(value: str) -> Problem | None:
    """What is wrong with the name of a source, None if nothing is."""
    if problem := text_problem(value):
        return problem
    if _PATTERN.fullmatch(value):
        return None
    known = ", ".join(SOURCES)
    return Problem(
        "unknown_source", f"must be one of {known}, or {OWN_PREFIX} and a name in small letters"
    )
