"""What speaks for a result and what against it, in one sentence each.

The bounds only choose the word beside a sentence; nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bulk.jobs.job import Job
from references.matching.match import Match
from serve_app.console.views.words import count, listed, percent, score

_ALIKE: Final = 0.7
_APART: Final = 0.4
"""Mean rank correlations from which models agree, and below which they do not."""

_MANY: Final = 0.01
"""Share of rows without a score that is worth a look: as with cells of a wrong type."""

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing to know before a result is believed.

    Attributes:
        word, style: `good`, `look` or `doubt`, and how it is shown.
    """

    word: str
    style: str
    sentence: str


def signs_of(job: Job) -> tuple[Sign, ...]:
    """Return what is known about how far the result of a job can be trusted."""
    summary = job.summary
    found = (
        _fit(job.match),
        _drift(summary.get("drift") or ()),
        _agreement(summary),
        _gaps(job),
    )
    return tuple(sign for sign in found if sign is not None)


def _good(sentence: str) -> Sign:
    return Sign("good", "good", sentence)


def _look(sentence: str) -> Sign:
    return Sign("look", "wait", sentence)


def _doubt(sentence: str) -> Sign:
    return Sign("doubt", "bad", sentence)


def _fit(match: Match | None) -> Sign | None:
    if match is None or not match.chosen:
        return None
    chosen = [match.of(reference) for reference in match.chosen]
    best = percent(max(model.similarity for model in chosen))
    if any(model.forced for model in chosen):
        return _doubt(f"A model was used although it does not fit; the best similarity is {best}.")
    return _good(f"The best model is {best} similar to this file.")


def _drift(columns: Sequence[Mapping[str, Any]]) -> Sign | None:
    names = {str(c.get("file_column") or c["column"]) for c in columns}
    if not names:
        return None
    large = sorted(
        {str(c.get("file_column") or c["column"]) for c in columns if c.get("level") == "large"}
    )
    if not large:
        return _good(f"None of the {len(names)} matched columns differs much from training.")
    shown = listed(large[:_NAMED] + (["others"] if len(large) > _NAMED else []))
    differ = "differs" if len(large) == 1 else "differ"
    sentence = f"{len(large)} of {len(names)} matched columns {differ} much from training: {shown}."
    return (_doubt if 2 * len(large) > len(names) else _look)(sentence)


def _agreement(summary: Mapping[str, Any]) -> Sign | None:
    if not summary.get("models"):
        return None
    if len(summary["models"]) == 1:
        return _look("One model scored the rows: there is no second opinion.")
    mean = summary.get("agreement")
    if mean is None:
        return None
    told = f"(rank correlation {score(mean)})"
    if mean >= _ALIKE:
        return _good(f"The models put the rows in much the same order {told}.")
    if mean >= _APART:
        return _look(f"The models put many rows in another order {told}.")
    return _doubt(f"The models do not agree on the order of the rows {told}.")


def _gaps(job: Job) -> Sign | None:
    rows = job.summary.get("rows") or {}
    if not rows.get("total"):
        return None
    total = int(rows["total"]) + job.rows_failed
    without = int(rows.get("unscored", 0)) + job.rows_failed
    if not without:
        return _good("Every row was read and scored.")
    sentence = f"{count(without)} of {count(total)} rows have no score."
    return (_look if without > _MANY * total else _good)(sentence)
