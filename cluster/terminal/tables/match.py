"""How a file fits reference models, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cluster.terminal.tables.plain import columns_table, plain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from references.matching.match import ColumnMatch, Match, ModelMatch, Reason

IN_FULL = 3
"""Models of a refused file that are shown with their columns."""

MOST_OTHERS = 20
MOST_COLUMNS = 12
"""Lines of a table; the others are in the JSON."""

_NUMBERS = ("similar", "covered", "close", "AUC", "weight", "score", "importance")
_FIGURES = (
    "similar: covered (share of what the model looks at) times close (likeness of the values); "
    "AUC: how well the file is told from the model's own data, 0.5 is not at all"
)


def match_tables(match: Match) -> Group:
    """Return, for 80 columns of text, the models that score with their columns; of a refused file,
    what matched best, what did not, what would be needed, and a line for each other model."""
    from rich.console import Group

    shown: list[Any] = []
    if match.refused:
        shown += [plain("None of the models fits this file.", "bold red"), *_reasons(match.reasons)]
        wanted = list(match.models[:IN_FULL])
    else:
        wanted = [match.of(name) for name in match.chosen]
    shown += [_models(wanted), ""]
    for model in wanted:
        shown += [plain(_heading(model), "bold"), _columns(model), *_remarks(model), ""]
    others = [model for model in match.models if model not in wanted]
    shown += _others(others) if match.refused else _summed_up(others)
    shown += [plain(f"Note: {note}") for note in match.notes]
    return Group(*shown)


def proposals(match: Match) -> list[str]:
    """Return the options that would confirm the conversions that chosen models propose."""
    found = {
        f"--convert '{column.file_column}={column.proposed.code}'"
        for name in match.chosen
        for column in match.of(name).columns
        if column.proposed is not None and column.applied is None
    }
    return sorted(found)


def _reasons(reasons: Sequence[Reason], style: str = "red") -> list[Any]:
    return [plain(f"  {reason.detail}{_needed(reason.needed)}", style) for reason in reasons]


def _models(models: Sequence[ModelMatch]) -> Table:
    table = columns_table("model", "similar", "covered", "close", "AUC", "weight", numbers=_NUMBERS)
    for model in models:
        table.add_row(
            plain(model.reference),
            f"{model.similarity:.2f}",
            f"{model.coverage:.2f}",
            f"{model.closeness:.2f}",
            "" if model.domain_auc is None else f"{model.domain_auc:.2f}",
            f"{model.weight:.2f}" if model.weight else "",
        )
    table.caption = _FIGURES
    return table


def _others(models: Sequence[ModelMatch]) -> list[Any]:
    """A line for each model with its main reason."""
    if not models:
        return []
    told = models[:MOST_OTHERS]
    width = max(len(model.reference) for model in told)
    lines = [plain("Other models, how similar they are, and the main reason:", "bold")]
    for model in told:
        why = model.reasons[0].detail if model.reasons else ""
        line = plain(f"  {model.reference:<{width}}  {model.similarity:.2f}  {why}")
        line.no_wrap, line.overflow = True, "ellipsis"
        lines.append(line)
    if len(models) > len(told):
        lines.append(plain(f"  and {len(models) - len(told)} more"))
    return lines


def _summed_up(models: Sequence[ModelMatch]) -> list[Any]:
    """A sentence about models that do not score."""
    fits = [model.reference for model in models if not model.reasons]
    told = [f"Less like the file, and not used: {', '.join(fits[:IN_FULL])}"] if fits else []
    if len(fits) > IN_FULL:
        told[0] += f" and {len(fits) - IN_FULL} more"
    unfit = len(models) - len(fits)
    if unfit:
        told.append(f"Models that do not fit: {unfit}; --json says why")
    return [plain(line, "dim") for line in told]


def _heading(model: ModelMatch) -> str:
    matched = sum(column.file_column is not None for column in model.columns)
    asked = ", used because you asked for it" if model.forced else ""
    counted = f"{matched} of {len(model.columns)} columns have a counterpart"
    return f"{model.reference}{asked}: {counted}"


def _columns(model: ModelMatch) -> Table:
    """The columns that have a counterpart, and the required ones that have none."""
    table = columns_table("the model's", "the file's", "score", "importance", numbers=_NUMBERS)
    told = [c for c in model.columns if c.file_column is not None or c.required]
    told.sort(key=lambda column: (-column.importance, column.column))
    for column in told[:MOST_COLUMNS]:
        is_there = column.file_column is not None
        table.add_row(
            plain(column.column + (" *" if column.required else "")),
            plain(column.file_column) if column.file_column is not None else plain("none", "red"),
            f"{column.score:.2f}" if is_there else "",
            f"{column.importance:.2f}",
        )
    if len(told) > MOST_COLUMNS:
        table.add_row(f"and {len(told) - MOST_COLUMNS} more", "", "", "")
    if any(column.required for column in told):
        table.caption = "* required"
    return table


def _remarks(model: ModelMatch) -> list[Any]:
    """What is to be said about columns, a line each, and why the model does not fit."""
    lines = [
        f"  {column.file_column or column.column}: {note}"
        for column in model.columns
        if (note := _note(column)) and (column.file_column is not None or column.required)
    ]
    absent = [c.column for c in model.columns if c.file_column is None and not c.required]
    if absent:
        more = f" and {len(absent) - MOST_COLUMNS} more" if len(absent) > MOST_COLUMNS else ""
        lines.append(f"  without a counterpart: {', '.join(absent[:MOST_COLUMNS])}{more}")
    return [*(plain(line) for line in lines), *_reasons(model.reasons, "yellow")]


def _note(column: ColumnMatch) -> str:
    if column.applied is not None:
        return f"converted: {column.applied.code}"
    if column.proposed is not None:
        return f"{column.proposed.detail} ({column.proposed.code})"
    return column.note


def _needed(needed: str) -> str:
    return f"; needed: {needed}" if needed else ""
