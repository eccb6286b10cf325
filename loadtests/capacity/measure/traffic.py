"""Payments of a history as micro-batches, and records of decisions on them."""

from __future__ import annotations

import json
import os
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Reason, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.currency import to_minor
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.record import RecordBatch, records
from loadtests.payments import Playlist

TENANT = "default"
PLAN = Plan(
    "default",
    1,
    Ensemble(
        (Member("xgboost", 0.5), Member("random-forest", 0.3), Member("logistic", 0.2)),
        Thresholds(0.6, 0.75, 0.9, anomaly_challenge=0.995),
        anomaly="isolation-forest",
        calibration=tuple((i / 40, (i / 40) ** 2) for i in range(41)),
    ),
)
"""As many variants as `quorum up` trains."""
_REASON = Reason("AMOUNT", "request_amount", "the amount is 900.00 USD, usually 20 to 80", 1.25)
_STAGES = dict.fromkeys(
    ("features", "redis", "assemble", "votes", "combine", "log", *PLAN.variants), 1.234
)


def next_batch(playlist: Playlist, rows: int) -> TransactionBatch:
    """Return the next `rows` payments as a micro-batch of one tenant."""
    return TransactionBatch.of(TENANT, [_payment(playlist.take().body) for _ in range(rows)])


def _payment(body: bytes) -> Transaction:
    fields: dict[str, Any] = json.loads(body)
    at = datetime.fromisoformat(fields.pop("timestamp"))
    amount = to_minor(Decimal(fields.pop("amount")), fields["currency"])
    return Transaction(**fields, timestamp_ms=round(at.timestamp() * 1000), amount_minor=amount)


def decided(
    batch: TransactionBatch, features: FeatureBatch, at_ms: int, rng: np.random.Generator
) -> RecordBatch:
    """Return the records of decisions on a micro-batch, from random votes. A twentieth is not
    approved and has three reasons.

    Args:
        batch, features: n payments and what was known of them.
        at_ms: time of the decisions.
        rng: makes the votes.
    """
    n = len(batch)
    votes = tuple(
        Vote(name, f"{k:012x}", "ok", rng.random(n) ** 4 * 0.9, 1.0, f"{k:064x}")
        for k, name in enumerate(PLAN.variants)
    )
    combined = combine(PLAN.ensemble, votes, n)
    decisions = DecisionBatch(
        decision_ids(n, at_ms, os.urandom),
        batch.transaction_id,
        combined.outcome.tolist(),
        combined.probability.tolist(),
        risk_scores(PLAN.ensemble.thresholds, combined.probability, combined.outcome),
        combined.anomaly.tolist(),
        [(_REASON,) * 3 if outcome else () for outcome in combined.outcome.tolist()],
        votes,
        PLAN.name,
        PLAN.version,
        combined.degraded,
        features.age_ms.tolist(),
        at_ms,
        explained_by=f"{1:064x}",
        stage_ms=_STAGES,
    )
    return records(batch, features, decisions, PLAN)
