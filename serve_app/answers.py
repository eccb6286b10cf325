"""Decisions to bytes: one row of a DecisionBatch as the answer that a client reads."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from fraud.decision import OUTCOMES, RISK_LEVELS, DecisionBatch, risk_score
from serve_app.schemas import DecisionOut, PlanOut, ProblemOut, ReasonOut, ResultsOut, VoteOut

_encoder = msgspec.json.Encoder()
_OUTCOME_NAMES = tuple(outcome.value for outcome in OUTCOMES)


def decision_out(batch: DecisionBatch, i: int, stage_ms: dict[str, float]) -> DecisionOut:
    """Row i of `batch` as it goes out.

    Args:
        batch: what the combiner answered.
        i: 0 <= i < len(batch).
        stage_ms: milliseconds that the ingress itself spent; the batch's own are added.
    """
    outcome = batch.outcome[i]
    probability = float(batch.probability[i])
    age_ms = int(batch.feature_age_ms[i])
    return DecisionOut(
        decision_id=batch.decision_id[i],
        transaction_id=batch.transaction_id[i],
        decision=_OUTCOME_NAMES[outcome],  # type: ignore[arg-type]
        risk_score=risk_score(probability),
        probability=probability,
        risk_level=RISK_LEVELS[outcome],  # type: ignore[arg-type]
        reasons=[
            ReasonOut(r.code, r.feature, r.detail, float(r.contribution)) for r in batch.reasons[i]
        ],
        variants=[
            VoteOut(
                vote.variant,
                vote.version,
                vote.status,  # type: ignore[arg-type]
                None if vote.scores is None else _finite(vote.scores[i]),
            )
            for vote in batch.votes
        ],
        anomaly_score=_finite(batch.anomaly_score[i]),
        plan=PlanOut(batch.plan, batch.plan_version),
        degraded=bool(batch.degraded),
        degraded_reasons=list(batch.degraded),
        feature_age_ms=None if age_ms < 0 else age_ms,
        stage_ms={name: round(ms, 3) for name, ms in (batch.stage_ms | stage_ms).items()},
        decided_at=rfc3339(batch.decided_at_ms),
    )


def encode(answer: DecisionOut | ResultsOut | ProblemOut | msgspec.Struct) -> bytes:
    """An answer as UTF-8 JSON."""
    return _encoder.encode(answer)


@lru_cache(maxsize=256)  # all rows of a micro-batch were decided at one moment
def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC.

    >>> rfc3339(1_772_366_400_250)
    '2026-03-01T12:00:00.250Z'
    """
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def _finite(value: float) -> float | None:
    # NaN is how columns say "none"; JSON says null.
    return float(value) if value == value else None
