"""One comparison of a replay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ROUNDING = 1e-9
"""Tolerance between sums over a micro-batch and over one row of it."""

SAME, DIFFERS, UNCHECKED = "same", "differs", "unchecked"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison.

    Attributes:
        what: what is compared, such as `outcome` or `score of xgboost 0123456789ab`.
        recorded, recomputed: a number, a word or None.
        result: `same`, `differs`, or `unchecked` where it cannot be recomputed here.
        note: why it is unchecked or differs, "" if there is nothing to add.
    """

    what: str
    recorded: float | str | None
    recomputed: float | str | None
    result: str
    note: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {
            "what": self.what,
            "recorded": self.recorded,
            "recomputed": self.recomputed,
            "verdict": self.result,
            "note": self.note,
        }


def same(what: str, recorded: str, recomputed: str, note: str = "") -> Check:
    """Compare words."""
    return Check(what, recorded, recomputed, SAME if recorded == recomputed else DIFFERS, note)


def close(
    what: str, recorded: float | None, recomputed: float | None, tolerance: float, note: str = ""
) -> Check:
    """Compare numbers. None and NaN mean absent, which equals only absent."""
    a, b = (None if v is None or math.isnan(v) else v for v in (recorded, recomputed))
    same = a is b if a is None or b is None else abs(a - b) <= tolerance
    return Check(what, a, b, SAME if same else DIFFERS, note)
