"""Recorded decisions as columns, against the records themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.plan import Plan
from tests.contracts.plans import leaf
from tests.contracts.recorded import index_of, made, recorded

PLAN = Plan("default", 3, leaf("xgboost", "logistic"))
RECORDS = made(PLAN, 50)
PART = recorded(RECORDS, {"t1": (True, 12), "t3": (False, 34)})


def test_columns_are_those_of_the_records() -> None:
    assert len(PART) == 50
    assert PART.decision_id == [r.decision_id for r in RECORDS]
    assert [PART.batch.row(i) for i in range(50)] == [r.transaction for r in RECORDS]
    assert set(PART.batch.tenant) == {"default"}
    assert PART.plan == [("default", 3)] * 50
    assert PART.outcome.tolist() == [index_of(r.outcome) for r in RECORDS]
    assert PART.probability.tolist() == [r.probability for r in RECORDS]
    assert PART.decided_ms.tolist() == [r.decided_at_ms for r in RECORDS]


def test_votes_are_gathered_by_variant_version_and_status() -> None:
    found = {}
    for votes in PART.votes:
        for i, score in zip(votes.rows.tolist(), votes.scores.tolist(), strict=True):
            found[i, votes.variant] = votes.version, votes.status, score
    for i, record in enumerate(RECORDS):
        for vote in record.votes:
            version, status, score = found.pop((i, vote.variant))
            assert (version, status) == (vote.version, vote.status)
            assert score == vote.score or (np.isnan(score) and vote.score is None)
    assert found == {}
    kinds = [(v.variant, v.version, v.status) for v in PART.votes]
    assert len(set(kinds)) == len(kinds) == 6


def test_labels_are_numbers_and_their_absence_is_not() -> None:
    assert (PART.fraud[1], PART.fraud[3]) == (1.0, 0.0)
    assert np.isnan(np.delete(PART.fraud, [1, 3])).all()
    assert PART.known_ms[:4].tolist() == [-1, 12, -1, 34]


def test_features_are_those_of_rows_with_the_schema() -> None:
    other = [replace(r, schema_id="f" * 12) if i == 2 else r for i, r in enumerate(RECORDS)]
    rows, values = recorded(other).values_of(np.array([1, 2, 4]), SCHEMA_ID)
    assert rows.tolist() == [1, 4]
    assert values.tolist() == [RECORDS[i].values()[0].tolist() for i in (1, 4)]
    rows, values = recorded(other).values_of(np.array([2]), SCHEMA_ID)
    assert (rows.size, values.size) == (0, 0)
    assert recorded(other).values_of(np.array([2]), "f" * 12)[1].shape == (1, N_FEATURES)


def test_metadata_are_not_read() -> None:
    noted = replace(RECORDS[0], transaction=replace(RECORDS[0].transaction, metadata={"a": "b"}))
    assert recorded([noted]).batch.metadata is None
