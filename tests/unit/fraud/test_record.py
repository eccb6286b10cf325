from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fraud.decision import OUTCOMES, Vote
from fraud.plan import Plan
from fraud.record import DecisionRecord, plan_digest, records
from tests.contracts.decisions import PLAN, decided, decision_records, transactions


def test_a_record_holds_its_own_row():
    batch = transactions(5)
    features, decisions = decided(batch)
    made = records(batch, features, decisions, PLAN)
    for i, record in enumerate(made):
        assert record.transaction == batch.row(i)
        assert record.decision_id == decisions.decision_id[i]
        assert record.outcome == OUTCOMES[decisions.outcome[i]].value
        np.testing.assert_array_equal(record.values()[0], features.values[i])
        assert [v.score for v in record.votes] == [v.scores[i] for v in decisions.votes]
        assert Plan.from_document(record.plan) == PLAN


def test_the_document_is_json_and_comes_back():
    for record in decision_records(4):
        document = json.loads(json.dumps(record.to_document(), allow_nan=False))
        assert "features" not in document
        assert DecisionRecord.from_document(document, record.features) == replace(
            record, plan=json.loads(json.dumps(record.plan))
        )


def test_a_vote_without_a_score_is_recorded_without_one():
    batch = transactions(2)
    features, decisions = decided(batch)
    votes = (
        Vote("xgboost", "", "late", None, 100.0),
        Vote("isolation-forest", "v", "ok", np.array([0.5, np.nan]), 1.0, "d"),
    )
    decisions = replace(decisions, votes=votes, anomaly_score=[0.5, float("nan")])
    first, second = records(batch, features, decisions, PLAN)
    assert [(v.status, v.score) for v in first.votes] == [("late", None), ("ok", 0.5)]
    assert [(v.status, v.score) for v in second.votes] == [("late", None), ("ok", None)]
    assert (first.anomaly_score, second.anomaly_score) == (0.5, None)
    late, answered = second.batch_votes()
    assert late.scores is None
    assert answered.scores is not None
    assert np.isnan(answered.scores).tolist() == [True]
    json.dumps(second.to_document(), allow_nan=False)


def test_parts_that_do_not_belong_together_are_refused():
    batch = transactions(3)
    features, decisions = decided(batch)
    with pytest.raises(ValueError, match="2 transactions"):
        records(transactions(2), features, decisions, PLAN)
    with pytest.raises(ValueError, match="another plan"):
        records(batch, features, decisions, replace(PLAN, version=4))


def test_an_empty_batch_has_no_records():
    batch = transactions(0)
    assert list(records(batch, *decided(batch), PLAN)) == []


def test_a_slice_holds_the_records_of_its_rows():
    batch = transactions(5)
    whole = records(batch, *decided(batch), PLAN)
    assert list(whole.slice(1, 4)) == list(whole)[1:4]
    assert list(whole.slice(2, 2)) == []
    assert list(whole.slice(0, 0).slice(0, 0)) == []


def test_batches_of_one_plan_share_its_document():
    batch = transactions(1)
    first, second = (records(batch, *decided(batch), PLAN).plan for _ in range(2))
    assert first is second
    assert first.digest == plan_digest(PLAN.to_document())
    newer = replace(PLAN, version=4)
    other = records(batch, *decided(batch, plan=newer), newer).plan
    assert (other.version, other.digest) == (4, plan_digest(newer.to_document()))
