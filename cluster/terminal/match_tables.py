"""How a file fits reference models, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from references.matching.match import ColumnMatch, Match, ModelMatch

MOST_MODELS = 10
MOST_COLUMNS = 40
"""Lines of a table; the others are in the JSON."""


def match_tables(match: Match) -> Group:
    """Return the models, best first, and the columns of those that score; of a refused file, what
    matched, what did not, and what would be needed."""
    from rich.console import Group

    shown: list[Any] = []
    if match.refused:
        shown += [_text("None of the models fits this file.", "bold red"), *_reasons(match)]
    shown.append(_models(match))
    wanted = match.models[:3] if match.refused else [match.of(name) for name in match.chosen]
    for model in wanted:
        shown += ["", _text(_heading(model), "bold"), _columns(model)]
        shown += [_text(f"  {r.detail}{_needed(r.needed)}", "yellow") for r in model.reasons]
    shown += [_text(f"Note: {note}") for note in match.notes]
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


def _reasons(match: Match) -> list[Any]:
    return [_text(f"  {r.detail}{_needed(r.needed)}", "red") for r in match.reasons]


def _models(match: Match) -> Table:
    table = _table("", "model", "similar", "covered", "close", "AUC", "weight", "")
    for place, model in enumerate(match.models[:MOST_MODELS], 1):
        auc = "" if model.domain_auc is None else f"{model.domain_auc:.2f}"
        table.add_row(
            str(place),
            _text(model.reference),
            f"{model.similarity:.2f}",
            f"{model.coverage:.2f}",
            f"{model.closeness:.2f}",
            auc,
            f"{model.weight:.2f}" if model.weight else "",
            _text(*_verdict(match, model)),
        )
    return table


def _verdict(match: Match, model: ModelMatch) -> tuple[str, str]:
    if model.reference in match.chosen:
        return ("scores, as you asked for it", "yellow") if model.forced else ("scores", "green")
    if model.reasons:
        return model.reasons[0].code, "red"
    return "fits", ""


def _heading(model: ModelMatch) -> str:
    matched = sum(column.file_column is not None for column in model.columns)
    return f"{model.reference}: {matched} of {len(model.columns)} columns have a counterpart"


def _columns(model: ModelMatch) -> Table:
    table = _table("the model's", "the file's", "score", "importance", "")
    columns = sorted(model.columns, key=lambda c: (-c.importance, c.column))
    for column in columns[:MOST_COLUMNS]:
        missing = "[red]none[/red]" if column.required else "[dim]none[/dim]"
        table.add_row(
            _text(column.column + (" *" if column.required else "")),
            missing if column.file_column is None else _text(column.file_column),
            "" if column.file_column is None else f"{column.score:.2f}",
            f"{column.importance:.2f}",
            _text(_note(column)),
        )
    if len(columns) > MOST_COLUMNS:
        table.add_row(f"and {len(columns) - MOST_COLUMNS} more", "", "", "", "")
    if any(column.required for column in columns):
        table.caption = "* required"
    return table


def _note(column: ColumnMatch) -> str:
    if column.applied is not None:
        return f"converted: {column.applied.code}"
    if column.proposed is not None:
        return f"{column.proposed.detail} ({column.proposed.code})"
    return column.note


def _needed(needed: str) -> str:
    return f"; needed: {needed}" if needed else ""


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    numbers = ("similar", "covered", "close", "AUC", "weight", "score", "importance")
    for column in columns:
        justify: Any = "right" if column in numbers else "left"
        table.add_column(column, justify=justify, overflow="fold")
    return table


def _text(text: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(text, style)
