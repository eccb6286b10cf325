"""Rows of decisions as answers."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from serve_app.answers import decision_out, encode, rfc3339
from serve_app.schemas import DecisionOut
from tests.contracts.front import decided


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8))
def test_an_answer_reads_back_as_its_type(ids: list[str]) -> None:
    batch = decided(ids, {"features": 0.12345})
    for i, name in enumerate(ids):
        answer = decision_out(batch, i, {"wait": 1.0})
        assert msgspec.json.decode(encode(answer), type=DecisionOut) == answer
        assert answer.transaction_id == name
        assert answer.stage_ms == {"features": 0.123, "wait": 1.0}
        assert (answer.reasons == []) == (answer.decision == "approve")
        assert (answer.anomaly_score is None) == (i % 2 == 0)


def test_times_are_in_utc_to_the_millisecond() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_772_366_400_007) == "2026-03-01T12:00:00.007Z"
