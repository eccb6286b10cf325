from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from decision_log.document import documents
from fraud.record import DecisionRecord
from tests.contracts.decisions import decision_records, gathered


def read(records) -> list[dict]:
    return [json.loads(document) for batch in gathered(records) for document in documents(batch)]


def test_the_document_equals_the_record_with_the_plan_only_named():
    written = decision_records(5)
    for record, found in zip(written, read(written), strict=True):
        wanted = json.loads(json.dumps(record.to_document()))
        plan = wanted.pop("plan")
        wanted["transaction"] = {k: v for k, v in wanted["transaction"].items() if v is not None}
        named = found.pop("plan")
        assert (named["name"], named["version"]) == (plan["name"], plan["version"])
        assert len(named["digest"]) == 64
        assert found == wanted


@pytest.mark.parametrize("shared", [{}, {"votes": 1.23456, "log": 2.0}])
@pytest.mark.parametrize("own", [None, ["", '"wait":0.5,"limit":1.0']])
def test_stages_are_the_batch_s_and_the_row_s_own(shared, own):
    (batch,) = gathered(decision_records(2))
    batch.decisions.stage_ms = shared | {"auth": 99.0}
    batch.transactions.stages = own
    one, two = (json.loads(document)["stage_ms"] for document in documents(batch))
    told = {name: round(ms, 3) for name, ms in shared.items()}
    assert one == told
    assert two == (told if own is None else told | {"wait": 0.5, "limit": 1.0})


def test_times_of_variants_are_named_by_their_votes_and_spelled_out_again():
    (batch,) = gathered(decision_records(1))
    stages = {f"variant:{vote.variant}": float(i) for i, vote in enumerate(batch.decisions.votes)}
    batch.decisions.stage_ms = {"votes": 9.0} | stages
    document = json.loads(documents(batch)[0])
    assert document["stage_ms"].keys() == {"votes", *map(str, range(len(stages)))}
    document["plan"] = batch.plan.document
    assert DecisionRecord.from_document(document, b"").stage_ms == {"votes": 9.0} | stages


def test_metadata_are_part_of_the_payment():
    (batch,) = gathered(decision_records(3))
    notes = {"a": '100 %b "x" \\u0000', "b": ""}
    batch.transactions.metadata = [None, json.dumps(notes), "{}"]
    found = [json.loads(document)["transaction"] for document in documents(batch)]
    assert "metadata" not in found[0]
    assert [row["metadata"] for row in found[1:]] == [notes, {}]


def test_text_that_looks_like_a_blank_stays_text():
    (record,) = decision_records(1)
    odd = ('100 %b "x"', "nul\0")
    (found,) = read([replace(record, degraded=odd, tenant="50 %d")])
    assert (tuple(found["degraded"]), found["tenant"]) == (odd, "50 %d")


def test_numbers_that_are_not_finite_become_null():
    (batch,) = gathered(decision_records(2))
    batch.decisions.votes[0].scores = np.array([np.nan, np.inf])
    batch.decisions.votes[1].scores = None
    batch.decisions.anomaly_score = [np.nan, 0.5]
    one, two = map(json.loads, documents(batch))
    assert [vote["score"] for vote in one["votes"][:2]] == [None, None]
    assert two["votes"][0]["score"] is None
    assert (one["anomaly_score"], two["anomaly_score"]) == (None, 0.5)
