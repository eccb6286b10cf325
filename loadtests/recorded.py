"""Records of decisions that nobody asked for: measurements write, send and read them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Reason, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, Float64, TransactionBatch
from fraud.plan import Plan
from fraud.record import RecordBatch, records

PLAN = Plan(
    "default",
    1,
    Ensemble(
        (Member("xgboost", 0.5), Member("random-forest", 0.3), Member("logistic", 0.2)),
        Thresholds(0.6, 0.75, 0.9, anomaly_challenge=0.995),
        anomaly="isolation-forest",
    ),
)
"""As many variants as `quorum up` trains."""
_REASON = Reason("AMOUNT", "request_amount", "the amount is 900.00 USD, usually 20 to 80", 1.25)


def recorded(
    plan: Plan,
    batch: TransactionBatch,
    features: FeatureBatch,
    scores: Sequence[Float64],
    at_ms: int,
    *,
    stage_ms: dict[str, float],
    explained_by: str = "",
) -> RecordBatch:
    """Return the records of decisions on a micro-batch. What is not approved has three reasons.

    Args:
        plan: decides.
        batch, features: n payments and what was known of them.
        scores: float64[n] in [0, 1] of each variant of the plan, in its order.
        at_ms: time of the decisions.
        stage_ms: stage -> milliseconds.
        explained_by: digest of the model that explained them.
    """
    n = len(batch)
    votes = tuple(
        Vote(name, f"{k:012x}", "ok", scores[k], 1.0, f"{k:064x}")
        for k, name in enumerate(plan.variants)
    )
    combined = combine(plan.ensemble, votes, n)
    decisions = DecisionBatch(
        decision_ids(n, at_ms, os.urandom),
        batch.transaction_id,
        combined.outcome.tolist(),
        combined.probability.tolist(),
        risk_scores(plan.ensemble.thresholds, combined.probability, combined.outcome),
        combined.anomaly.tolist(),
        [(_REASON,) * 3 if outcome else () for outcome in combined.outcome.tolist()],
        votes,
        plan.name,
        plan.version,
        combined.degraded,
        features.age_ms.tolist(),
        at_ms,
        explained_by=explained_by,
        stage_ms=stage_ms,
    )
    return records(batch, features, decisions, plan)
