"""Columns that give the label away.

After Kaufman, Rosset and Perlich, "Leakage in Data Mining" (KDD 2011): a single input that predicts
far better than the problem allows is examined before it is trusted. The measure is how much fraud
the column finds at what cost (`training.guard.columns.evidence`), in every slice of time. An honest
signal comes and goes, drifts, and misses some fraud in each slice. A value recorded after the
outcome is there from the first day on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from data.leaky_names import mentions_label, names_label, names_later_event
from training.finding import Finding
from training.guard.columns.column import Column
from training.guard.columns.evidence import Evidence, evidence
from training.guard.columns.purity import Pure, pure
from training.guard.rows import GuardRows

RECALL, OTHERS = 0.9, 0.03
"""A flag with this recall, on so few other payments, is refused. The strongest honest column of the
sets that this was tuned on finds 84 % on 0.9 %."""
RARE_RECALL, RARE_LIKELIHOOD = 0.6, 400.0
"""A flag with this recall, on hardly any other payment, is refused too."""
WHOLE_RECALL, WHOLE_OTHERS, WHOLE_FRAUDS = 0.99, 0.1, 100
"""A number that misses no fraud at any time is refused too."""
ODD_RECALL, ODD_OTHERS = 0.95, 0.25
"""Limits of a warning on a derived column that nearly all frauds share."""
STEADY = 0.75
"""The recall in the worst slice of time must reach this share of the whole recall, less chance."""
REFUSED_AUC, REFUSED_AP = 0.999, 0.95
"""A ranking this good is refused, whatever its flag."""
WARNED_RECALL, WARNED_OTHERS, WARNED_AUC = 0.8, 0.03, 0.985
WARNED_RARE_RECALL = 0.3
"""With the likelihood of a refused flag, this recall suffices for a warning."""
SIZE_RECALL = 0.85
"""The least recall for a warning on identities and on flags by size."""
GAP_RECALL, GAP_OTHERS = 0.9, 0.1
"""Limits of a warning on whether a column is filled, which a join may have caused."""

_GLANCE_FRAUDS = 3_000
_GLANCE, _GLANCE_AUC = 0.27, 0.97
"""A column whose flag (or, for our own features, ranking) is weaker on a sample is not examined on
all rows."""
_CHANCE = 2.5
_LIKELY = 1.64
"""A flag may miss the limit by this many standard errors."""
_PURE_SHARE, _PURE_FLAG, _PURE_CODE, _PURE_IDENTITY = 0.1, 0.5, 0.75, 0.9


def find_label_columns(columns: Iterable[Column], rows: GuardRows) -> list[Finding]:
    """Findings on columns that give the label away: at most one of each code for a column. Of a
    column and those derived from it the first refused one counts, or else the first."""
    few = rows.thinned(_GLANCE_FRAUDS)
    kept: dict[tuple[str, str], Finding] = {}
    for column in columns:
        for finding in _column_findings(column, rows, few):
            key = (column.name, "" if finding.severity == "refuse" else finding.code)
            kept.setdefault(key, finding)
    refused = {name for name, _ in kept if (name, "") in kept}
    return [f for (name, code), f in kept.items() if not code or name not in refused]


def _column_findings(column: Column, rows: GuardRows, few: GuardRows) -> Iterator[Finding]:
    # A sample of the rows suffices to rule most columns out.
    values = column.at(few.rows)
    found = evidence(values, column.categorical, few)
    if found is not None and _deserves_a_close_look(column, found):
        values = column.at(rows.rows)
        found = evidence(values, column.categorical, rows)
    found_by_value = False
    if found is not None:
        finding = _flag_finding(column, found, rows)
        if finding is not None:
            found_by_value = True
            yield finding
            if finding.severity == "refuse":
                return
    if column.derived and not column.named_by_user:
        return
    only = pure(column.at(rows.rows), column, rows)
    if only is not None:
        finding = _purity_finding(column, only)
        if finding is not None:
            yield finding
            return
    if column.named_by_user and not column.derived:
        yield from _name_finding(column, found_by_value)


def _deserves_a_close_look(column: Column, found: Evidence) -> bool:
    return found.auc >= _GLANCE_AUC or (found.merit >= _GLANCE and not column.computed)


def _flag_finding(column: Column, found: Evidence, rows: GuardRows) -> Finding | None:
    steady = is_steady(found, rows)
    what = (
        f"{_what(column, found)} finds {found.recall:.1%} of frauds on {found.others:.2%} of others"
    )
    figures = f"ROC-AUC {found.auc:.4f}, average precision {found.precision:.3f}"
    times = "in every slice of time" if steady else f"{found.least:.0%} in the worst slice of time"
    measured = f"{what}, {times} ({figures})"
    if _is_refused(column, found, steady, rows):
        return Finding(
            "refuse",
            "tells-label",
            f"{measured}: it gives the label away; {honest_if(column, found.kind)}",
            column=column.name,
        )
    strong = _is_warned(column, found, rows) and not column.computed
    if strong or found.auc >= WARNED_AUC:
        return Finding(
            "warn",
            "nearly-tells-label",
            f"{measured}: check where it comes from; {honest_if(column, found.kind)}",
            column=column.name,
        )
    return None


def _is_warned(column: Column, found: Evidence, rows: GuardRows) -> bool:
    """Whether the flag gets a warning."""
    by_size = found.kind in ("order", "bins")
    if column.identity or by_size:
        return found.recall >= SIZE_RECALL and found.others <= WARNED_OTHERS
    likely = found.recall + _LIKELY * found.error(rows)
    if likely >= WARNED_RECALL and found.others <= WARNED_OTHERS:
        return True
    # Nobody chooses the cents or the second of a payment: it is odd if all frauds share them.
    if column.derived and likely >= ODD_RECALL and found.others <= ODD_OTHERS:
        return True
    if found.kind == "known" and likely >= GAP_RECALL and found.others <= GAP_OTHERS:
        return True
    return found.recall >= WARNED_RARE_RECALL and found.likelihood >= RARE_LIKELIHOOD


def _is_refused(column: Column, found: Evidence, steady: bool, rows: GuardRows) -> bool:
    """Whether the flag is refused."""
    if found.auc >= REFUSED_AUC and found.precision >= REFUSED_AP:
        return True
    by_size = found.kind in ("order", "bins")
    if column.computed or not steady or (column.native and by_size):
        return False
    chance = 0.0 if by_size else _LIKELY * found.error(rows)
    if found.recall + chance >= RECALL and found.others <= OTHERS:
        return True
    rare = found.recall >= RARE_RECALL and found.likelihood >= RARE_LIKELIHOOD
    if rare and not by_size and not column.identity:
        return True
    whole = found.recall >= WHOLE_RECALL and found.others <= WHOLE_OTHERS
    # Not having the usual value is a matter of size, too: aggregates of labels are 0 without fraud.
    sized = by_size or bool(column.derived and rows.fraud.sum() >= WHOLE_FRAUDS)
    return whole and sized and column.named_by_user and found.least >= WHOLE_RECALL - 0.04


def is_steady(found: Evidence, rows: GuardRows) -> bool:
    """Whether a flag finds about as much in each slice of time as overall."""
    frauds = np.bincount(rows.slices, rows.fraud, minlength=rows.n_slices)
    r = found.recall
    chance = _CHANCE * np.sqrt(r * (1 - r) / np.maximum(frauds, 1))
    return bool((found.slices >= STEADY * r - chance).all())


def _purity_finding(column: Column, only: Pure) -> Finding | None:
    """The finding on a value that no genuine payment has, or None."""
    what = "is known" if only.known else "has one value"
    if column.derived:
        what = f"has one value ({column.derived})"
    measured = (
        f"{column.name} {what} for {only.share:.1%} of frauds ({only.frauds:,}) and for no genuine"
        " payment"
    )
    limit = _PURE_FLAG if only.known or only.flag else _PURE_CODE
    if column.identity and not only.known:
        limit = _PURE_IDENTITY
    outright = column.named_by_user and mentions_label(column.name)
    if outright or (only.share >= limit and only.steady and (only.known or not column.computed)):
        kind = "known" if only.known else "value"
        return Finding(
            "refuse", "fraud-only", f"{measured}; {honest_if(column, kind)}", column=column.name
        )
    if column.computed or column.identity or not only.steady or only.share < _PURE_SHARE:
        return None
    return Finding(
        "warn",
        "fraud-only",
        f"{measured}: check where it comes from; {honest_if(column, 'value')}",
        column=column.name,
    )


def _name_finding(column: Column, found_by_value: bool) -> Iterator[Finding]:
    """The finding on its name. A name of consequences adds nothing if the values had a finding."""
    outright = names_label(column.name)
    if mentions_label(column.name) or (not found_by_value and names_later_event(column.name)):
        what = (
            "refers to the label"
            if mentions_label(column.name)
            else "refers to consequences of fraud"
        )
        what = "names the label" if outright else what
        yield Finding(
            "refuse" if outright else "warn",
            "speaking-name",
            f"the name of column {column.name} {what}; {honest_if(column, 'value')}",
            column=column.name,
        )


def _what(column: Column, found: Evidence) -> str:
    if found.kind == "known":
        return f"whether {column.title} is known"
    return column.title if column.derived else f"{column.name} alone"


def honest_if(column: Column, kind: str) -> str:
    """The condition under which the column is no leak."""
    if column.derived:
        return (
            f"honest only if {column.derived} arises with the payment, not when frauds are recorded"
            " or added"
        )
    if kind == "known":
        return (
            f"honest only if {column.name} is filled, or left empty, before the payment is decided"
        )
    return f"honest only if {column.name} is known when the payment is decided"
