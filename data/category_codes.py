"""Codes of categories, for models that are trained on a table as it is."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from fraud.payment.batch import Float32

WHOLE_LIMIT = 10_000
"""Whole numbers closer to zero than this are their own codes."""
_BUCKETS = 100_000


def category_code(value: str) -> float:
    """Return the code of a category: a small whole number is its own, other texts are hashed.

    >>> category_code("3"), category_code("-1")
    (3.0, -1.0)
    >>> category_code("radio/tv") == category_code("radio/tv")
    True
    """
    digits = value.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 4:
        return float(value)
    # CRC-32 is the same on every machine; one pair in 100,000 collides.
    return float(WHOLE_LIMIT + zlib.crc32(value.encode()) % _BUCKETS)


def category_codes(values: Sequence[str | None]) -> Float32:
    """float32[n]: the codes of n categories, NaN where unknown. Codes below 2^24 are exact."""
    known = {value: category_code(value) for value in set(values) if value is not None}
    return np.array([np.nan if v is None else known[v] for v in values], dtype=np.float32)
