"""Values of a set's own columns, for models that are trained on a table as it is."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from fraud.payment.batch import Float32

WHOLE_LIMIT = 10_000
"""Whole numbers nearer to zero than this are their own codes."""
_BUCKETS = 100_000


def code_of(value: str) -> float:
    """Code of one category: a small whole number is its own, any other text is hashed.

    >>> code_of("3"), code_of("-1"), code_of("radio/tv") == code_of("radio/tv")
    (3.0, -1.0, True)
    """
    digits = value.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 4:
        return float(value)
    # CRC-32 is the same everywhere, and collides once in 100,000 pairs.
    return float(WHOLE_LIMIT + zlib.crc32(value.encode()) % _BUCKETS)


def codes_of(values: Sequence[str | None]) -> Float32:
    """float32[n]: codes of n categories, NaN where unknown; codes below 2^24 are exact."""
    known = {value: code_of(value) for value in set(values) if value is not None}
    return np.array([np.nan if v is None else known[v] for v in values], dtype=np.float32)
