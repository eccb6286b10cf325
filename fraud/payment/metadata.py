"""Metadata: the caller's own notes on a payment. They are stored and returned, no more."""

from __future__ import annotations

import json
import re
from typing import Final

from fraud.payment.limits import Problem, text_problem

MAX_KEYS: Final = 50
MAX_KEY_CHARS: Final = 40
MAX_VALUE_CHARS: Final = 500
MAX_BYTES: Final = 4096
"""Most bytes of all keys and values of one payment together, in UTF-8."""

# PostgreSQL's JSON cannot return NUL as text, and UTF-8 cannot hold a surrogate. Line breaks are
# allowed.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def problems(metadata: dict[str, str]) -> list[tuple[str | None, Problem]]:
    """Return every broken rule as (key, problem), [] if there is none.

    The key is None if the problem is not that of one value.
    """
    if len(metadata) > MAX_KEYS:
        return [(None, Problem("too_many", f"must have at most {MAX_KEYS} keys"))]
    found: list[tuple[str | None, Problem]] = []
    for key, value in metadata.items():
        if problem := text_problem(key, MAX_KEY_CHARS):
            found.append((None, Problem(problem.code, f"a key {problem.detail}")))
        elif problem := value_problem(value):
            found.append((key, problem))
    if not found and size_bytes(metadata) > MAX_BYTES:
        detail = f"its keys and values must have at most {MAX_BYTES} bytes together"
        found.append((None, Problem("too_large", detail)))
    return found


def value_problem(value: str) -> Problem | None:
    """Return what is wrong with one value, None if nothing is."""
    if len(value) > MAX_VALUE_CHARS:
        return Problem("too_long", f"must have at most {MAX_VALUE_CHARS} characters")
    if _UNSTORABLE.search(value):
        return Problem("unprintable", "must not contain control characters or lone surrogates")
    return None


def text_of(metadata: dict[str, str]) -> str:
    """Return metadata as JSON text, as batches and records hold it.

    >>> text_of({"order": "7"})
    '{"order":"7"}'
    """
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))


def size_bytes(metadata: dict[str, str]) -> int:
    """Return the size of all keys and values in UTF-8.

    >>> size_bytes({"order": "7", "note": "für"})
    14
    """
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())
