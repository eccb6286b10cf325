"""What speaks for a result and what against it, in one sentence each; the doubts are the summary's.

The bounds only choose the word beside a sentence; nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bulk.jobs.job import Job
from references.matching.match import Match
from serve_app.console.views.words import count, percent

_MANY: Final = 0.01
"""Share of rows without a score that is worth a look: as with cells of a wrong type."""


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
        *(_doubt(f"{told[:1].upper()}{told[1:]}.") for told in summary.get("doubts") or ()),
        _steady(summary.get("drift") or ()),
        _alone(summary.get("models") or ()),
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


def _steady(columns: Sequence[Mapping[str, Any]]) -> Sign | None:
    names = {str(c.get("file_column") or c["column"]) for c in columns}
    # Those that do are among the doubts.
    if not names or any(column.get("level") == "large" for column in columns):
        return None
    return _good(f"None of the {len(names)} matched columns differs much from training.")


def _alone(models: Sequence[object]) -> Sign | None:
    if len(models) != 1:
        return None
    return _look("One model scored the rows: there is no second opinion.")


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
