from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from deployments.audit.document import documents
from tests.contracts.decisions import decision_records, gathered


def read(records) -> list[dict]:
    return [json.loads(document) for batch in gathered(records) for document in documents(batch)]


def test_it_says_what_the_record_says_and_names_the_plan():
    written = decision_records(5)
    for record, found in zip(written, read(written), strict=True):
        wanted = json.loads(json.dumps(record.to_document()))
        plan = wanted.pop("plan")
        wanted["transaction"] = {k: v for k, v in wanted["transaction"].items() if v is not None}
        named = found.pop("plan")
        assert (named["name"], named["version"]) == (plan["name"], plan["version"])
        assert len(named["digest"]) == 64
        assert found == wanted


def test_what_looks_like_a_blank_is_text():
    (record,) = decision_records(1)
    odd = ('100 %b "x"', "nul\0")
    (found,) = read([replace(record, degraded=odd, tenant="50 %d")])
    assert (tuple(found["degraded"]), found["tenant"]) == (odd, "50 %d")


def test_what_is_not_finite_is_null():
    (batch,) = gathered(decision_records(2))
    batch.decisions.votes[0].scores = np.array([np.nan, np.inf])
    batch.decisions.votes[1].scores = None
    batch.decisions.anomaly_score = [np.nan, 0.5]
    one, two = map(json.loads, documents(batch))
    assert [vote["score"] for vote in one["votes"][:2]] == [None, None]
    assert two["votes"][0]["score"] is None
    assert (one["anomaly_score"], two["anomaly_score"]) == (None, 0.5)
