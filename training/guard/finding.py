"""What the leak guard has to say, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fraud.errors import NotTrainable

CODES = {
    "tells-label": "a column from which the label can be read",
    "nearly-tells-label": "a column that tells the label better than history usually can",
    "fraud-only": "a value that no genuine payment has",
    "speaking-name": "a column whose name speaks of what is to be found out",
    "label-column": "the label itself as an input",
    "early-label": "labels that were known before their payment",
    "later-time": "a column of moments after the payment",
    "later-labels": "features that know labels of later",
    "unreadable-cells": "cells of a column of numbers that are none, and count as unknown",
    "identical-rows": "test rows that were trained on",
}
"""Every finding there is, and what it means."""

_SHOWN = 3


class LeakFound(NotTrainable):
    """Data that no honest model can be trained on. `args[0]` says what leaks, and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspicion.

    Attributes:
        severity: `refuse`: no model is trained on it; `warn`: it is told.
        code: one of `CODES`.
        sentence: what was found, with names and figures, one line.
        allowed: it would have been refused, and was let through on purpose.
    """

    severity: Literal["refuse", "warn"]
    code: str
    sentence: str
    allowed: bool = False


def settle(findings: Sequence[Finding], allowed: Collection[str]) -> tuple[Finding, ...]:
    """The findings in the order of their weight, those that are allowed as warnings.

    Args:
        allowed: codes that are let through.

    Raises:
        LeakFound: something is refused.
    """
    refused = [f for f in findings if f.severity == "refuse" and f.code not in allowed]
    if refused:
        said = "; ".join(f.sentence for f in refused[:_SHOWN])
        more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        codes = " ".join(f"--allow-leaks {code}" for code in sorted({f.code for f in refused}))
        raise LeakFound(f"leak: {said}{more}: take it out, or insist with {codes}")
    settled = [
        Finding("warn", f.code, f"{f.sentence} (allowed)", True) if f.severity == "refuse" else f
        for f in findings
    ]
    return tuple(sorted(settled, key=lambda f: not f.allowed))
