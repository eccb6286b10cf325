"""A match as the page shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from references.matching.match import Match, Reason
from serve_app.console.views.match_view import heading, models_of, proposals_of
from tests.contracts.console_jobs import CARDS, CENTS, LOANS, TRANSFERS, good_match, model, unfit


def test_models_that_score_come_first_by_weight() -> None:
    match = replace(good_match(), chosen=(TRANSFERS, CARDS))
    views = models_of(match)
    assert [view.match.reference for view in views] == [TRANSFERS, CARDS, LOANS]
    assert [view.outcome for view in views] == ["scores the file"] * 2 + ["does not fit"]
    assert (views[1].name, views[1].version) == ("card-payments", "2fd6da9b13f3")


def test_a_model_that_fits_may_be_one_too_many() -> None:
    views = models_of(replace(good_match(), chosen=(CARDS,)))
    assert views[1].outcome == "fits, not needed"


def test_a_forced_model_says_so() -> None:
    forced = replace(unfit(), forced=True)
    assert models_of(Match((forced,), (LOANS,)))[0].outcome == "used at your word"


def test_columns_are_told_apart_the_most_important_first() -> None:
    view = models_of(good_match())[0]
    assert [c.column for c in view.matched] == ["amount", "merchant", "timestamp", "country"]
    assert [c.column for c in view.missing] == ["device"]


@pytest.mark.parametrize(
    ("auc", "word"), [(None, "not measured"), (0.5, "hardly"), (0.8, "partly"), (0.99, "easily")]
)
def test_the_second_opinion_in_words(auc: float | None, word: str) -> None:
    assert models_of(Match((model(domain_auc=auc),), (CARDS,)))[0].domain.startswith(word)


def test_a_proposal_is_made_once_for_all_models() -> None:
    (proposal,) = proposals_of(good_match())
    assert proposal.value == "minor-to-major:montant"
    assert proposal.models == (CARDS, TRANSFERS)
    assert proposal.conversion == CENTS


def test_what_was_applied_is_not_proposed_again() -> None:
    first = model()
    applied = replace(first.columns[0], applied=CENTS)
    assert proposals_of(Match((replace(first, columns=(applied,)),), (CARDS,))) == []


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert heading(Reason("column-missing", "")) == "A column is missing"
    assert heading(Reason("novel", "")) == "novel"  # type: ignore[arg-type]
