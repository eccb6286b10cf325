"""The whole file against the match, which was made from a sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.paths import JobPaths
from bulk.scoring.cell_values import plain_numbers
from bulk.scoring.plan import PlannedModel, ScoringPlan
from data.cells.numbers import NumberStyle, numbers
from references.matching.match import Match, Reason
from references.profile.column import ColumnKind

MOST_MISTYPED: Final = 0.01
"""Share of the rows of a required column that may have another type."""

Reasons = Mapping[str, tuple[Reason, ...]]
"""`ModelMatch.reference` -> why it does not fit."""


def check_columns(paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
    """Return the match without the models whose required columns are often no numbers.

    Args:
        paths: of the job; all parts are there.
        plan: what would score it.
        match: with the models that were chosen.
    """
    wanted = {model.reference: _required_numbers(model, match) for model in plan.tabular}
    shares = _mistyped(paths, plan, {name for names in wanted.values() for name in names})
    reasons = {
        reference: tuple(
            Reason(
                "column-mistyped",
                f"{shares[name]:.1%} of the filled rows of {name} are not numbers",
                name,
                f"numbers in all but {MOST_MISTYPED:.0%} of the rows",
            )
            for name in names
            if shares[name] > MOST_MISTYPED
        )
        for reference, names in wanted.items()
    }
    return without(match, reasons)


def check_payments(plan: ScoringPlan, match: Match, rows: int, rejected: int) -> Match:
    """Return the match without its models of history if too many rows are no payments.

    Args:
        plan, match: see `check_columns`.
        rows: of all parts.
        rejected: those of them that are no payments.
    """
    share = rejected / rows if rows else 0.0
    if share <= MOST_MISTYPED:
        return match
    detail = f"{share:.1%} of the rows are no payments: their time or amount cannot be read"
    needed = f"payments in all but {MOST_MISTYPED:.0%} of the rows"
    reason = Reason("column-mistyped", detail, needed=needed)
    return without(match, {model.reference: (reason,) for model in plan.history})


def without(match: Match, reasons: Reasons) -> Match:
    """Return the match in which models with reasons are not chosen any more, unless the caller
    asked for them by name; the weights of the others add up to 1 again."""
    models = tuple(
        replace(model, reasons=(*model.reasons, *reasons.get(model.reference, ())))
        for model in match.models
    )
    dropped = {m.reference for m in models if reasons.get(m.reference) and not m.forced}
    chosen = tuple(name for name in match.chosen if name not in dropped)
    if chosen == match.chosen:
        return match
    total = sum(model.weight for model in models if model.reference in chosen)
    return replace(
        match,
        models=tuple(
            replace(model, weight=0.0)
            if model.reference in dropped
            else replace(model, weight=model.weight / total if total else 0.0)
            for model in models
        ),
        chosen=chosen,
        reasons=match.reasons if chosen else (*match.reasons, *_first(reasons.values())),
    )


def _first(found: Iterable[tuple[Reason, ...]]) -> tuple[Reason, ...]:
    return next((reasons[:1] for reasons in found if reasons), ())


def _required_numbers(model: PlannedModel, match: Match) -> list[str]:
    """Columns of the file that must be numbers for a model."""
    required = {c.column for c in match.of(model.reference).columns if c.required}
    return [
        column.file_column
        for column in model.columns
        if column.name in required
        and column.file_column is not None
        and not column.conversion
        and not column.categorical
        and column.profile.kind is ColumnKind.NUMBER
    ]


def _mistyped(paths: JobPaths, plan: ScoringPlan, names: set[str]) -> dict[str, float]:
    """Column -> share of its filled rows that are not numbers."""
    style = NumberStyle(plan.decimal, missing=frozenset(plan.missing), lenient=True)
    filled, wrong = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for number in paths.part_numbers if names else ():
        table = pq.read_table(paths.part(number), columns=sorted(names), partitioning=None)
        for name in names:
            for cells in table.column(name).chunks:
                found, unreadable = _counts(cells, style)
                filled[name] += found
                wrong[name] += unreadable
    return {name: wrong[name] / max(filled[name], 1) for name in names}


def _counts(cells: pa.Array, style: NumberStyle) -> tuple[int, int]:
    """Return how many cells are filled, and how many of them are not numbers."""
    plain = plain_numbers(cells, style.decimal, style.missing)
    if plain is not None:
        return int(np.count_nonzero(~np.isnan(plain))), 0
    read = numbers(cells, style)
    return int(np.count_nonzero(read.present)), int(np.count_nonzero(read.unreadable))
