"""What a caller has to confirm before a job starts."""

from __future__ import annotations

from dataclasses import replace

from bulk.engine.submission import unconfirmed
from tests.contracts.jobs import MATCH


def test_a_proposal_of_a_chosen_model_waits_for_a_confirmation() -> None:
    assert unconfirmed(MATCH) == ["montant"]


def test_what_is_confirmed_or_not_chosen_does_not_wait() -> None:
    (model,) = MATCH.models
    (column,) = model.columns
    applied = replace(column, applied=column.proposed)
    assert unconfirmed(replace(MATCH, models=(replace(model, columns=(applied,)),))) == []
    assert unconfirmed(replace(MATCH, chosen=())) == []
