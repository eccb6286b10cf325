"""Decided micro-batches, as a combiner hands them to the decision log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Decisions, Reason, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.record import (
    OUTCOME_TEXT,
    DecisionRecord,
    PlanDocument,
    RecordBatch,
    plan_digest,
    records,
)

N_FEATURES = 80
DECIDED_AT_MS = 1_790_000_000_000
PLAN = Plan(
    name="default",
    version=3,
    policy=Ensemble(
        members=(Member("xgboost", 0.5), Member("random-forest", 0.3), Member("logistic", 0.2)),
        thresholds=Thresholds(0.1, 0.4, 0.8, anomaly_challenge=0.995),
        anomaly="isolation-forest",
        calibration=tuple((i / 40, (i / 40) ** 2) for i in range(41)),
    ),
)


def transactions(n: int, prefix: str = "t", at_ms: int = DECIDED_AT_MS) -> TransactionBatch:
    """n payments of n customers, `<prefix>0`, `<prefix>1`, ..."""
    rows = [
        Transaction(
            transaction_id=f"{prefix}{i}",
            customer_id=f"c{i}",
            timestamp_ms=at_ms - 1000 + i,
            amount_minor=100 + i,
            currency="JPY" if i % 2 else "USD",
            type="purchase",
            merchant_id=f"m{i}",
            device_id=f"d{i}" if i % 3 else None,
            country="DE",
            channel="online",
        )
        for i in range(n)
    ]
    return TransactionBatch.of("default", rows)


def decided(
    batch: TransactionBatch, seed: int = 0, at_ms: int = DECIDED_AT_MS, plan: Plan = PLAN
) -> tuple[FeatureBatch, DecisionBatch]:
    """Return random features, and the decisions that `plan` makes from random votes."""
    n = len(batch)
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    values[:, ::7] = np.nan
    votes = tuple(
        Vote(name, f"{k:012x}", "ok", rng.random(n), 1.0, f"{k:064x}")
        for k, name in enumerate(plan.variants)
    )
    combined = combine(plan.ensemble, votes, n)
    why = (Reason("AMOUNT", "request_amount", "the amount is 900.00 USD", 1.25),)
    poorer = [(), ("history_unavailable",), ("features_unavailable", "variant_late:x")]
    decisions = DecisionBatch(
        decision_id=decision_ids(n, at_ms, os.urandom),
        transaction_id=batch.transaction_id,
        outcome=combined.outcome.tolist(),
        probability=combined.probability.tolist(),
        risk_score=risk_scores(plan.ensemble.thresholds, combined.probability, combined.outcome),
        anomaly_score=combined.anomaly.tolist(),
        reasons=[why if outcome else () for outcome in combined.outcome.tolist()],
        votes=votes,
        plan=plan.name,
        plan_version=plan.version,
        degraded=[poorer[i % 3] for i in range(n)],
        feature_age_ms=[1000] * n,
        decided_at_ms=at_ms,
        explained_by=f"{seed:064x}",
    )
    return FeatureBatch(values, "0123456789ab", np.full(n, 1000, dtype=np.int64)), decisions


def whole(batch: DecisionBatch, pending: Sequence[int] = ()) -> Decisions:
    """Return the decisions on a micro-batch of which one batch holds all rows but the pending."""
    n, left_out = len(batch) + len(pending), set(pending)
    rows = [i for i in range(n) if i not in left_out]
    return Decisions((batch,) if rows else (), (rows,) if rows else (), tuple(pending))


def decision_records(
    n: int, prefix: str = "t", seed: int = 0, at_ms: int = DECIDED_AT_MS, plan: Plan = PLAN
) -> list[DecisionRecord]:
    """Return records of n decisions on `transactions(n, prefix)`, with new decision ids."""
    batch = transactions(n, prefix, at_ms)
    features, decisions = decided(batch, seed, at_ms, plan)
    return list(records(batch, features, decisions, plan))


def gathered(written: Sequence[DecisionRecord]) -> list[RecordBatch]:
    """Gather records into batches: neighbours with equal values for what a batch holds once."""
    return [
        _batch(list(group))
        for _, group in groupby(
            written,
            lambda r: (
                id(r.plan),
                r.schema_id,
                r.code_version,
                r.decided_at_ms,
                r.explained_by,
                *_votes(r),
            ),
        )
    ]


def _votes(r: DecisionRecord) -> list[tuple[str, str, str, str]]:
    return [(v.variant, v.version, v.digest, v.status) for v in r.votes]


def _batch(rows: list[DecisionRecord]) -> RecordBatch:
    first = rows[0]
    transactions = TransactionBatch.of("", [r.transaction for r in rows])
    transactions.tenant = [r.tenant for r in rows]
    votes = (
        Vote(
            v.variant,
            v.version,
            v.status,
            None if v.status != "ok" else np.array([_nan(r.votes[k].score) for r in rows]),
            0.0,
            v.digest,
        )
        for k, v in enumerate(first.votes)
    )
    decisions = DecisionBatch(
        decision_id=[r.decision_id for r in rows],
        transaction_id=transactions.transaction_id,
        outcome=[_OUTCOMES.get(r.outcome, len(_OUTCOMES)) for r in rows],
        probability=[r.probability for r in rows],
        risk_score=[r.risk_score for r in rows],
        anomaly_score=[_nan(r.anomaly_score) for r in rows],
        reasons=[r.reasons for r in rows],
        votes=tuple(votes),
        plan=first.plan["name"],
        plan_version=first.plan["version"],
        degraded=[r.degraded for r in rows],
        feature_age_ms=[r.feature_age_ms for r in rows],
        decided_at_ms=first.decided_at_ms,
        explained_by=first.explained_by,
    )
    plan = PlanDocument(
        first.plan["name"], first.plan["version"], plan_digest(first.plan), first.plan
    )
    features = b"".join(r.features for r in rows)
    return RecordBatch(transactions, first.schema_id, features, decisions, plan, first.code_version)


_OUTCOMES = {text: i for i, text in enumerate(OUTCOME_TEXT)}


def _nan(value: float | None) -> float:
    return np.nan if value is None else value


def reused_pair(
    prefix: str, first_ms: int, second_ms: int
) -> tuple[DecisionRecord, DecisionRecord]:
    """Decisions on two payments of one id, the second one another customer's."""
    (first,) = decision_records(1, prefix=prefix, at_ms=first_ms)
    (second,) = decision_records(1, prefix=prefix, at_ms=second_ms)
    other = replace(second.transaction, customer_id="somebody-else")
    return first, replace(second, transaction=other, degraded=("transaction_reused",))
