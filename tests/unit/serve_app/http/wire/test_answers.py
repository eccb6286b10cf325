"""Rows of decisions as answers."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.decision import OUTCOMES, RISK_LEVELS, DecisionBatch, Reason, Vote
from serve_app.http.wire.answers import DecisionEncoder, encode, encode_stages, rfc3339, thousandths
from serve_app.http.wire.schemas import DecidingPlanOut, DecisionOut, ReasonOut, VoteOut
from tests.contracts.front import decided

STATUSES = ("ok", "missing", "late", "failed")
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
shares = st.floats(0, 1)
maybe_shares = st.one_of(shares, st.just(float("nan")))
milliseconds = st.floats(0, 1e4)
reasons = st.builds(Reason, texts, st.none() | texts, texts, st.floats(0, 50))


@st.composite
def batches(draw: st.DrawFn) -> DecisionBatch:
    n = draw(st.integers(1, 6))

    def column(values: st.SearchStrategy[object]) -> list:  # type: ignore[type-arg]
        return draw(st.lists(values, min_size=n, max_size=n))

    votes = []
    for _ in range(draw(st.integers(0, 3))):
        status = draw(st.sampled_from(STATUSES))
        scores = np.array(column(maybe_shares)) if status == "ok" else None
        votes.append(Vote(draw(texts), draw(texts), status, scores, 1.0))
    return DecisionBatch(
        decision_id=column(texts),
        transaction_id=column(texts),
        outcome=column(st.integers(0, 3)),
        probability=column(shares),
        risk_score=column(st.integers(0, 99)),
        anomaly_score=column(maybe_shares),
        reasons=column(st.lists(reasons, max_size=3).map(tuple)),
        votes=tuple(votes),
        plan=draw(texts),
        plan_version=draw(st.integers(1, 10**6)),
        degraded=column(st.lists(texts, max_size=3).map(tuple)),
        feature_age_ms=column(st.integers(-1, 10**12)),
        decided_at_ms=draw(st.integers(0, 4 * 10**12)),
        stage_ms=draw(st.dictionaries(texts, milliseconds, max_size=3)),
        arm=draw(texts),
    )


def plain(batch: DecisionBatch, i: int, own_ms: dict[str, float]) -> DecisionOut:
    """Return row i field by field, as the wire type."""

    def finite(value: float) -> float | None:
        return float(value) if value == value else None

    outcome = batch.outcome[i]
    age_ms = batch.feature_age_ms[i]
    return DecisionOut(
        decision_id=batch.decision_id[i],
        transaction_id=batch.transaction_id[i],
        decision=OUTCOMES[outcome].value,  # type: ignore[arg-type]
        risk_score=batch.risk_score[i],
        probability=batch.probability[i],
        risk_level=RISK_LEVELS[outcome],  # type: ignore[arg-type]
        reasons=[
            ReasonOut(r.code, r.feature, r.detail, r.direction, r.contribution)
            for r in batch.reasons[i]
        ],
        variants=[
            VoteOut(
                vote.variant,
                vote.version,
                vote.status,  # type: ignore[arg-type]
                None if vote.scores is None else finite(vote.scores[i]),
            )
            for vote in batch.votes
        ],
        anomaly_score=finite(batch.anomaly_score[i]),
        plan=DecidingPlanOut(batch.plan, batch.plan_version, batch.arm),
        degraded=bool(batch.degraded[i]),
        degraded_reasons=list(batch.degraded[i]),
        feature_age_ms=None if age_ms < 0 else age_ms,
        stage_ms={name: thousandths(ms) for name, ms in (batch.stage_ms | own_ms).items()},
        decided_at=rfc3339(batch.decided_at_ms),
    )


@given(batches(), batches(), st.dictionaries(st.sampled_from(("auth", "wait")), milliseconds))
def test_an_answer_is_its_row_as_the_plain_encoder_writes_it(
    one: DecisionBatch, other: DecisionBatch, own_ms: dict[str, float]
) -> None:
    own_ms["parse"] = 0.0005
    encoder = DecisionEncoder()
    for batch in (one, other, one):
        for i in range(len(batch)):
            answer = encoder.encode(batch, i, encode_stages(own_ms))
            assert answer == encode(plain(batch, i, own_ms))


def test_what_one_row_misses_is_said_of_no_other() -> None:
    batch = decided(["t-1", "t-2"], {})
    batch.degraded = [(), ("transaction_reused", "50 %d")]
    one, two = (msgspec.json.decode(DecisionEncoder().encode(batch, i, b"")) for i in (0, 1))
    assert (one["degraded"], one["degraded_reasons"]) == (False, [])
    assert (two["degraded"], two["degraded_reasons"]) == (True, ["transaction_reused", "50 %d"])


def test_a_stage_of_the_ingress_is_told_once_whoever_else_uses_its_name() -> None:
    batch = decided(["t-1"], {"wait": 5.0, "features": 1.0})
    answer = DecisionEncoder().encode(batch, 0, encode_stages({"wait": 2.0}))
    assert answer.count(b'"wait"') == 1
    assert msgspec.json.decode(answer)["stage_ms"] == {"features": 1.0, "wait": 2.0}


def test_scores_of_any_float_type_are_numbers() -> None:
    batch = replace(
        decided(["t-1", "t-2"], {}),
        probability=list(np.array([0.5, 0.25])),
        outcome=list(np.array([1, 0], dtype=np.int8)),
    )
    document = msgspec.json.decode(DecisionEncoder().encode(batch, 1, b'"wait":0.0'))
    assert (document["probability"], document["decision"]) == (0.25, "approve")


@given(batches())
def test_an_answer_reads_back_as_its_type(batch: DecisionBatch) -> None:
    encoder = DecisionEncoder()
    for i in range(len(batch)):
        answer = encoder.encode(batch, i, encode_stages({"wait": 1.0}))
        read = msgspec.json.decode(answer, type=DecisionOut)
        assert read.transaction_id == batch.transaction_id[i]


def test_times_are_in_utc_to_the_millisecond() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_772_366_400_007) == "2026-03-01T12:00:00.007Z"


@given(milliseconds)
def test_stages_are_told_in_microseconds(ms: float) -> None:
    assert thousandths(ms) == pytest.approx(ms, abs=0.0005001)
    assert len(repr(thousandths(ms)).partition(".")[2]) <= 3
