"""Columns that tell the label.

The rule of Kaufman, Rosset and Perlich, "Leakage in Data Mining" (KDD 2011): a single input that
predicts far better than the problem allows is looked at before it is believed. Measured here by
what the column finds and at what price (`training.guard.columns.evidence`), in every slice of
time: an honest signal comes and goes, drifts, and misses some fraud in each slice; what was written
down after the outcome is there from the first day on.
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
"""A column that finds so much of the fraud, and is on so few other payments, tells the label. The
strongest honest column of the sets that this was held against finds 84 % on 0.9 %."""
RARE_RECALL, RARE_LIKELIHOOD = 0.6, 400.0
"""So does one that finds less, on nearly no other payment."""
WHOLE_RECALL, WHOLE_OTHERS, WHOLE_FRAUDS = 0.99, 0.1, 100
"""So does a number that misses no fraud at any time."""
ODD_RECALL, ODD_OTHERS = 0.95, 0.25
"""What is read off a value is told of up to here, if nearly all frauds have it."""
STEADY = 0.75
"""Of its recall, in the worst slice of time, less what chance takes."""
REFUSED_AUC, REFUSED_AP = 0.999, 0.95
"""A ranking like this is refused whatever the flag."""
WARNED_RECALL, WARNED_OTHERS, WARNED_AUC = 0.8, 0.03, 0.985
WARNED_RARE_RECALL = 0.3
"""With the likelihood of a refused one: told."""
SIZE_RECALL = 0.85
"""What names somebody, or goes by size, is told of from here on."""
GAP_RECALL, GAP_OTHERS = 0.9, 0.1
"""Whether a column is known, which a join may have settled, is told of up to here."""

_GLANCE_FRAUDS = 3_000
_GLANCE, _GLANCE_AUC = 0.27, 0.97
"""A column whose flag, or whose ranking for our own features, is worth less is not looked at
again."""
_CHANCE = 2.5
_LIKELY = 1.64
"""A flag may find so many errors of chance less than the limit: it is set or not, by a rule."""
_PURE_SHARE, _PURE_FLAG, _PURE_CODE, _PURE_IDENTITY = 0.1, 0.5, 0.75, 0.9


def telling(columns: Iterable[Column], rows: GuardRows) -> list[Finding]:
    """What the columns tell of the label, a finding a column at most of each kind; of a column and
    the forms read off it, the first that is refused, or else the first."""
    places, few = rows.every_nth(_GLANCE_FRAUDS)
    of_name: dict[tuple[str, str], Finding] = {}
    for column in columns:
        for finding in _of(column, rows, places, few):
            key = (column.name, "" if finding.severity == "refuse" else finding.code)
            of_name.setdefault(key, finding)
    refused = {name for name, _ in of_name if (name, "") in of_name}
    return [f for (name, code), f in of_name.items() if not code or name not in refused]


def _of(column: Column, rows: GuardRows, places: np.ndarray, few: GuardRows) -> Iterator[Finding]:
    # A glance at some rows spares most columns the close look at all.
    values = column.at(few.rows)
    found = evidence(values, column.categorical, few)
    if found is not None and _worth_it(column, found):
        values = column.at(rows.rows)
        found = evidence(values, column.categorical, rows)
    told = False
    if found is not None:
        finding = _of_flag(column, found, rows)
        if finding is not None:
            told = True
            yield finding
            if finding.severity == "refuse":
                return
    if column.form and not column.foreign:
        return
    only = pure(column.at(rows.rows), column, rows)
    if only is not None:
        finding = _of_purity(column, only)
        if finding is not None:
            yield finding
            return
    if column.foreign and not column.form:
        yield from _of_name(column, told)


def _worth_it(column: Column, found: Evidence) -> bool:
    return found.auc >= _GLANCE_AUC or (found.merit >= _GLANCE and not column.computed)


def _of_flag(column: Column, found: Evidence, rows: GuardRows) -> Finding | None:
    steady = is_steady(found, rows)
    what = (
        f"{_what(column, found)} finds {found.recall:.1%} of frauds on {found.others:.2%} of others"
    )
    figures = f"ROC-AUC {found.auc:.4f}, average precision {found.precision:.3f}"
    times = "in every slice of time" if steady else f"{found.least:.0%} in the worst slice of time"
    said = f"{what}, {times} ({figures})"
    if _tells(column, found, steady, rows):
        return Finding(
            "refuse",
            "tells-label",
            f"{said}: it tells the label; {honest_if(column, found.form)}",
            column=column.name,
        )
    strong = _odd(column, found, rows) and not column.computed
    if strong or found.auc >= WARNED_AUC:
        return Finding(
            "warn",
            "nearly-tells-label",
            f"{said}: see where it comes from; {honest_if(column, found.form)}",
            column=column.name,
        )
    return None


def _odd(column: Column, found: Evidence, rows: GuardRows) -> bool:
    """Whether it is told of."""
    by_size = found.form in ("order", "bins")
    if column.identity or by_size:
        return found.recall >= SIZE_RECALL and found.others <= WARNED_OTHERS
    likely = found.recall + _LIKELY * found.error(rows)
    if likely >= WARNED_RECALL and found.others <= WARNED_OTHERS:
        return True
    # Nobody chooses the cents of a payment or the second of it: that all frauds share them is odd.
    if column.form and likely >= ODD_RECALL and found.others <= ODD_OTHERS:
        return True
    if found.form == "known" and likely >= GAP_RECALL and found.others <= GAP_OTHERS:
        return True
    return found.recall >= WARNED_RARE_RECALL and found.likelihood >= RARE_LIKELIHOOD


def _tells(column: Column, found: Evidence, steady: bool, rows: GuardRows) -> bool:
    """Whether it is refused."""
    if found.auc >= REFUSED_AUC and found.precision >= REFUSED_AP:
        return True
    by_size = found.form in ("order", "bins")
    if column.computed or not steady or (column.native and by_size):
        return False
    chance = 0.0 if by_size else _LIKELY * found.error(rows)
    if found.recall + chance >= RECALL and found.others <= OTHERS:
        return True
    rare = found.recall >= RARE_RECALL and found.likelihood >= RARE_LIKELIHOOD
    if rare and not by_size and not column.identity:
        return True
    whole = found.recall >= WHOLE_RECALL and found.others <= WHOLE_OTHERS
    # Being other than the usual is a matter of size, too: sums of labels are 0 where there is none.
    sized = by_size or bool(column.form and rows.fraud.sum() >= WHOLE_FRAUDS)
    return whole and sized and column.foreign and found.least >= WHOLE_RECALL - 0.04


def is_steady(found: Evidence, rows: GuardRows) -> bool:
    """Whether a flag finds about as much in each slice of time as over all of it."""
    frauds = np.bincount(rows.slices, rows.fraud, minlength=rows.n_slices)
    r = found.recall
    chance = _CHANCE * np.sqrt(r * (1 - r) / np.maximum(frauds, 1))
    return bool((found.slices >= STEADY * r - chance).all())


def _of_purity(column: Column, only: Pure) -> Finding | None:
    """What follows from a value, or being known at all, that no genuine payment has."""
    what = "is known" if only.known else "has one value"
    if column.form:
        what = f"is one of two ({column.form})"
    said = (
        f"{column.name} {what} for {only.share:.1%} of frauds ({only.frauds:,}) and for no genuine"
        " payment"
    )
    limit = _PURE_FLAG if only.known or only.flag else _PURE_CODE
    if column.identity and not only.known:
        limit = _PURE_IDENTITY
    outright = column.foreign and mentions_label(column.name)
    if outright or (only.share >= limit and only.steady and (only.known or not column.computed)):
        form = "known" if only.known else "value"
        return Finding(
            "refuse", "fraud-only", f"{said}; {honest_if(column, form)}", column=column.name
        )
    if column.computed or column.identity or not only.steady or only.share < _PURE_SHARE:
        return None
    return Finding(
        "warn",
        "fraud-only",
        f"{said}: see where it comes from; {honest_if(column, 'value')}",
        column=column.name,
    )


def _of_name(column: Column, told: bool) -> Iterator[Finding]:
    """What its name says; where its values told enough, a name of what follows adds nothing."""
    outright = names_label(column.name)
    if mentions_label(column.name) or (not told and names_later_event(column.name)):
        what = (
            "speaks of the label"
            if mentions_label(column.name)
            else "speaks of what follows a fraud"
        )
        what = "is a name of the label" if outright else what
        yield Finding(
            "refuse" if outright else "warn",
            "speaking-name",
            f"the name of column {column.name} {what}; {honest_if(column, 'value')}",
            column=column.name,
        )


def _what(column: Column, found: Evidence) -> str:
    if found.form == "known":
        return f"whether {column.said} is known"
    return column.said if column.form else f"{column.name} alone"


def honest_if(column: Column, form: str) -> str:
    """What would have to be true for the column to be no leak."""
    if column.form:
        return (
            f"honest only if {column.form} comes about with the payment, and not where frauds are"
            " written down or added"
        )
    if form == "known":
        return (
            f"honest only if {column.name} is filled, or left empty, before the payment is decided"
        )
    return f"honest only if {column.name} is known when the payment is decided"
