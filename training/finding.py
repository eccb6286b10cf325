"""Findings of the leak guard, and which of them stop a training.

Outside the guard's package: the configuration names the codes, and the guard reads the
configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fraud.errors import NotTrainable

CODES = {
    "tells-label": "a column that gives the label away",
    "nearly-tells-label": "a column that predicts the label better than honest ones usually do",
    "fraud-only": "a value that no genuine payment has",
    "speaking-name": "a column whose name suggests that it holds the outcome",
    "noisy-label": "a column that is the label with noise, or with some labels flipped",
    "label-aggregate": "a column that aggregates labels, including its own row's and later ones",
    "label-by-customer": "customers whose payments are all fraud or all genuine",
    "too-good": "a fitted model that finds nearly all fraud on later payments",
    "label-column": "the label itself used as an input",
    "early-label": "labels that were known before their payment",
    "later-time": "a column of times after the payment",
    "later-labels": "features that use later payments or labels",
    "unreadable-cells": "cells of a numeric column that are not numbers and count as unknown",
    "identical-rows": "test rows that are also training rows",
}
"""Every code, and what it means."""

_SHOWN = 3


class LeakFound(NotTrainable):
    """Data that leak the label. `args[0]` states what leaks and what to do about it."""


Severity = Literal["refuse", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspected leak.

    Attributes:
        severity: `refuse`: training stops; `warn`: training goes on.
        code: one of `CODES`.
        sentence: what was found, with names and figures, one line.
        allowed: it would have stopped the training, but was allowed or declared honest.
        column: the column concerned; "" if there is none in particular.
        columns: the columns that must all be declared honest to allow it; () for `column` only.
    """

    severity: Severity
    code: str
    sentence: str
    allowed: bool = False
    column: str = ""
    columns: tuple[str, ...] = ()

    def declared(self, honest: Collection[str]) -> bool:
        """Whether every column concerned is declared honest."""
        about = self.columns or ((self.column,) if self.column else ())
        return bool(about) and all(column in honest for column in about)


def settle(
    findings: Sequence[Finding],
    allowed: Collection[str],
    honest: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Apply what is allowed: findings that would refuse become warnings, and come first.

    Args:
        allowed: codes that only warn.
        honest: column -> why it is honest; findings on it only warn, with the reason.

    Raises:
        LeakFound: a finding refuses the data.
    """
    declared = honest or {}
    refused = [
        f
        for f in findings
        if f.severity == "refuse" and f.code not in allowed and not f.declared(declared)
    ]
    if refused:
        sentences = "; ".join(f.sentence for f in refused[:_SHOWN])
        more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        codes = " ".join(f"--allow-leaks {code}" for code in sorted({f.code for f in refused}))
        about = [c for f in refused for c in (f.columns or (f.column,)) if c]
        columns = list(dict.fromkeys(about))
        declare = f", declare it honest under [honest] ({', '.join(columns)})" if columns else ""
        raise LeakFound(f"leak: {sentences}{more}: remove it{declare}, or allow it with {codes}")
    settled = [_let_through(f, declared) for f in findings]
    return tuple(sorted(settled, key=lambda f: not f.allowed))


def _let_through(finding: Finding, honest: Mapping[str, str]) -> Finding:
    if finding.declared(honest):
        reasons = "; ".join(honest[c] for c in finding.columns or (finding.column,))
        sentence = f"{finding.sentence} (declared honest: {reasons})"
        return replace(finding, severity="warn", sentence=sentence, allowed=True)
    if finding.severity == "refuse":
        return replace(
            finding, severity="warn", sentence=f"{finding.sentence} (allowed)", allowed=True
        )
    return finding
