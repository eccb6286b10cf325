"""What the leak guard has to say, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fraud.errors import NotTrainable

CODES = {
    "tells-label": "a column from which the label can be read",
    "nearly-tells-label": "a column that tells the label better than history usually can",
    "fraud-only": "a value that no genuine payment has",
    "speaking-name": "a column whose name speaks of what is to be found out",
    "noisy-label": "a column that is the label with noise, or with a share of it turned round",
    "label-aggregate": "a column that sums up labels, its own and later ones",
    "label-by-customer": "customers whose payments are all fraud or all genuine",
    "too-good": "a finished model that finds nearly all fraud on later payments",
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


Severity = Literal["refuse", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspicion.

    Attributes:
        severity: `refuse`: no model is trained on it; `warn`: it is told.
        code: one of `CODES`.
        sentence: what was found, with names and figures, one line.
        allowed: it would have been refused, and was let through on purpose.
        column: which it is about, "" if none in particular.
        columns: all that have to be declared honest for it to be so; () for `column` alone.
    """

    severity: Severity
    code: str
    sentence: str
    allowed: bool = False
    column: str = ""
    columns: tuple[str, ...] = ()

    def declared(self, honest: Collection[str]) -> bool:
        """Whether everything it is about is declared honest."""
        about = self.columns or ((self.column,) if self.column else ())
        return bool(about) and all(column in honest for column in about)


def settle(
    findings: Sequence[Finding],
    allowed: Collection[str],
    honest: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """The findings in the order of their weight, those that are let through as warnings.

    Args:
        allowed: codes that are let through.
        honest: column -> why it is honest: what is found of it is told, with the reason.

    Raises:
        LeakFound: something is refused.
    """
    declared = honest or {}
    refused = [
        f
        for f in findings
        if f.severity == "refuse" and f.code not in allowed and not f.declared(declared)
    ]
    if refused:
        said = "; ".join(f.sentence for f in refused[:_SHOWN])
        more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        codes = " ".join(f"--allow-leaks {code}" for code in sorted({f.code for f in refused}))
        about = [c for f in refused for c in (f.columns or (f.column,)) if c]
        columns = list(dict.fromkeys(about))
        declare = f", declare it honest under [honest] ({', '.join(columns)})" if columns else ""
        raise LeakFound(f"leak: {said}{more}: take it out{declare}, or insist with {codes}")
    settled = [_let_through(f, declared) for f in findings]
    return tuple(sorted(settled, key=lambda f: not f.allowed))


def _let_through(finding: Finding, honest: Mapping[str, str]) -> Finding:
    if finding.declared(honest):
        reasons = "; ".join(honest[c] for c in finding.columns or (finding.column,))
        said = f"{finding.sentence} (declared honest: {reasons})"
        return replace(finding, severity="warn", sentence=said, allowed=True)
    if finding.severity == "refuse":
        return replace(
            finding, severity="warn", sentence=f"{finding.sentence} (allowed)", allowed=True
        )
    return finding
