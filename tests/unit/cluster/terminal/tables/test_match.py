"""How a file fits, for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console

from cluster.terminal.tables.match import match_tables, proposals
from references.matching.match import Match, ModelMatch, Reason
from tests.contracts.jobs import MATCH


def shown(match: Match) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(match_tables(match))
    return capture.get()


def test_the_models_and_columns_that_score_are_shown() -> None:
    text = shown(MATCH)
    assert "cards@0123456789ab: 1 of 1 columns have a counterpart" in text
    assert "montant" in text
    assert "minor-to-major" in text
    assert "* required" in text
    assert "None of the models" not in text


def test_a_refusal_says_what_would_be_needed() -> None:
    (model,) = MATCH.models
    (column,) = model.columns
    reason = Reason("column-missing", "amount is required", "amount", "a column like amount")
    absent = replace(column, file_column=None, proposed=None)
    refused = replace(
        MATCH,
        models=(replace(model, columns=(absent,), reasons=(reason,)),),
        chosen=(),
        reasons=(reason,),
        notes=("the first sheet is read",),
    )
    text = shown(refused)
    assert "None of the models fits this file" in text
    assert "amount is required; needed: a column like amount" in text
    assert "none" in text
    assert "Note: the first sheet is read" in text


def test_names_of_columns_are_no_markup() -> None:
    (model,) = MATCH.models
    (column,) = model.columns
    named = replace(model, columns=(replace(column, file_column="[red]x[/red]"),))
    assert "[red]x[/red]" in shown(replace(MATCH, models=(named,)))


def test_proposals_are_options_to_paste() -> None:
    assert proposals(MATCH) == ["--convert 'montant=minor-to-major'"]


def many(n: int, **changes: Any) -> tuple[ModelMatch, ...]:
    """Models with many columns, none of which is required but the first."""
    (model,) = MATCH.models
    (column,) = model.columns
    columns = (
        column,
        *(
            replace(column, column=f"feature_{i}", required=False, importance=i / 100, **changes)
            for i in range(30)
        ),
    )
    return tuple(
        replace(model, reference=f"online-shop-{i}@0123456789ab", columns=columns, weight=0.0)
        for i in range(n)
    )


def test_a_refusal_by_many_models_shows_three_in_full_and_a_line_for_each_other() -> None:
    reason = Reason("column-missing", "timestamp is required and has no counterpart " * 4)
    models = tuple(replace(m, reasons=(reason,)) for m in many(15, file_column=None))
    lines = shown(replace(MATCH, models=models, chosen=())).splitlines()
    assert len(lines) < 80
    for i in range(15):
        named = [line for line in lines if f"online-shop-{i}@0123456789ab" in line]
        assert len(named) == (2 if i < 3 else 1)
    assert max(map(len, lines)) <= 80


def test_a_match_shows_only_what_scores() -> None:
    models = many(9)
    chosen = tuple(model.reference for model in models[:2])
    unfit = replace(models[8], reasons=(Reason("column-missing", "why"),))
    text = shown(replace(MATCH, models=(*models[:8], unfit), chosen=chosen))
    assert "and 19 more" in text
    assert "online-shop-2@0123456789ab" in text
    assert "online-shop-4@0123456789ab and 3 more" in " ".join(text.split())
    assert "online-shop-8" not in text
    assert "Models that do not fit: 1" in text
