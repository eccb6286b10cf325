"""Every code in an answer has a meaning in the guide."""

from __future__ import annotations

from features.degraded import WITHOUT_HISTORY
from fraud.combine.combine import RULES_ONLY
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.reasons.catalogue import CODES
from fraud.record import RECORD_ON_ONE_DISK
from serve_app.http.problems import KINDS
from serve_app.http.reference.openapi import document
from serve_app.http.wire import meanings, schemas


def test_every_word_of_an_answer_has_its_meaning() -> None:
    parts = document()["components"]["schemas"]
    fields = parts["DecisionOut"]["properties"]
    assert set(fields["decision"]["enum"]) == set(meanings.OUTCOMES)
    assert set(fields["risk_level"]["enum"]) == set(meanings.RISK_LEVELS) == set(RISK_LEVELS)
    assert set(parts["TransactionIn"]["properties"]["type"]["enum"]) == set(meanings.TYPES)
    assert parts["ReasonOut"]["properties"]["code"]["enum"] == list(CODES)
    assert {*WITHOUT_HISTORY, RULES_ONLY, RECORD_ON_ONE_DISK} == set(meanings.DEGRADED)
    votes = set(parts["VoteOut"]["properties"]["status"]["enum"]) - {"ok"}
    assert votes <= set(meanings.VARIANT_STATUSES)
    assert set(KINDS) == set(meanings.PROBLEMS)
    assert set(schemas.OutcomeName.__args__) == set(OUTCOMES)  # type: ignore[attr-defined]
