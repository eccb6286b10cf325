"""A match on the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from references.matching.match import Conversion, Match, Reason
from serve_app.http.wire.match_schemas import MatchOut, match_out
from tests.contracts.job_front import CENTS, match_of

SCALED = Conversion("percent", 0.01, "The numbers are percentages.")


def changed(**fields: Any) -> Match:
    """Return a match with one model, with these fields of the model changed."""
    match = match_of()
    return replace(match, models=(replace(match.models[0], **fields),))


def applied() -> Match:
    (model,) = match_of(proposed=CENTS).models
    (column,) = model.columns
    return changed(columns=(replace(column, applied=SCALED, note="confirmed"),), forced=True)


@pytest.mark.parametrize(
    "match",
    [
        match_of(proposed=CENTS),
        match_of(fits=False),
        applied(),
        changed(domain_auc=None, unused=(), weight=0.25),
        Match((), (), (Reason("no-reference", "There is none."),), 7, ("Nothing was compared.",)),
    ],
    ids=["proposed", "refused", "applied", "not measured", "no reference"],
)
def test_a_match_is_sent_whole(match: Match) -> None:
    sent = msgspec.to_builtins(match_out(match))
    assert Match.from_document(sent) == match


def test_what_is_sent_is_what_the_reference_describes() -> None:
    text = msgspec.json.encode(match_out(applied()))
    assert msgspec.json.decode(text, type=MatchOut) == match_out(applied())


@pytest.mark.parametrize("field", ["similarity", "coverage", "closeness", "weight"])
def test_no_share_outside_of_0_to_1_is_sent(field: str) -> None:
    for share in (0.0, 1.0):
        assert getattr(match_out(changed(**{field: share})).models[0], field) == share
    for share in (-0.1, 1.1):
        with pytest.raises(msgspec.ValidationError, match=field):
            match_out(changed(**{field: share}))
