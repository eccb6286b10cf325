"""How a file fits, for people."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from cluster.terminal.match_tables import match_tables, proposals
from references.matching.match import Match, Reason
from tests.contracts.jobs import MATCH


def shown(match: Match) -> str:
    console = Console(width=100)
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
