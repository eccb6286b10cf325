"""Answers like those of Quorum, without stages."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec

from fraud.decision import OUTCOMES, RISK_LEVELS, DecisionBatch
from serve_app.http.wire.schemas import DecidingPlanOut, DecisionOut, ReasonOut, VoteOut

_encoder = msgspec.json.Encoder()


def answer(decided: DecisionBatch, i: int) -> bytes:
    """Return row i as JSON."""
    outcome = decided.outcome[i]
    probability = decided.probability[i]
    age_ms = decided.feature_age_ms[i]
    at = datetime.fromtimestamp(decided.decided_at_ms / 1000, UTC)
    out = DecisionOut(
        decision_id=decided.decision_id[i],
        transaction_id=decided.transaction_id[i],
        decision=OUTCOMES[outcome].value,
        risk_score=decided.risk_score[i],
        probability=probability,
        risk_level=RISK_LEVELS[outcome],  # type: ignore[arg-type]
        reasons=[
            ReasonOut(r.code, r.feature, r.detail, r.direction, r.contribution)
            for r in decided.reasons[i]
        ],
        variants=[
            VoteOut(vote.variant, vote.version, "ok", _finite(float(vote.scores[i])))
            for vote in decided.votes
            if vote.scores is not None
        ],
        anomaly_score=_finite(decided.anomaly_score[i]),
        plan=DecidingPlanOut(decided.plan, decided.plan_version),
        degraded=bool(decided.degraded[i]),
        degraded_reasons=list(decided.degraded[i]),
        feature_age_ms=None if age_ms < 0 else age_ms,
        stage_ms={},
        decided_at=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
    return _encoder.encode(out)


def answers(decided: DecisionBatch) -> bytes:
    """Return all rows as the answer to a batch request."""
    rows = b",".join(answer(decided, i) for i in range(len(decided)))
    return b'{"results":[%b]}' % rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
