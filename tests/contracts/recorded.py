"""Decisions on record, made row by row, and read back as simulations read them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from deciding.simulation.simulation import Simulation
from decision_log.readers.recorded_decisions import RecordedDecisions
from features.definitions import N_FEATURES, RULE_SET, SCHEMA_ID
from fraud.combine.combine import Combined, combine, needs_rules
from fraud.combine.risk import risk_scores
from fraud.decision import OUTCOMES, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.ids import decision_ids
from fraud.payment.batch import Float32, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.policy.recorded import settled
from fraud.record import OUTCOME_TEXT, DecisionRecord, RecordedVote, finite

DECIDED_AT_MS = 1_790_000_000_000


def payments(n: int, rng: np.random.Generator) -> list[Transaction]:
    """n payments of all sorts."""
    return [
        Transaction(
            transaction_id=f"t{i}",
            customer_id=f"c{rng.integers(n)}",
            timestamp_ms=DECIDED_AT_MS - 1000 + i,
            amount_minor=int(rng.integers(1, 900_000)),
            currency=("EUR", "USD", "JPY", "KWD")[rng.integers(4)],
            type=("purchase", "transfer")[rng.integers(2)],
            country=("DE", "FR", None)[rng.integers(3)],
            channel=("online", "pos", None)[rng.integers(3)],
        )
        for i in range(n)
    ]


def row_decided(plan: Plan, record: DecisionRecord) -> tuple[str, Combined]:
    """Decide one row by its recorded votes alone, as a replay does: its arm and decision."""
    batch = TransactionBatch.of(record.tenant, [record.transaction])
    votes = record.batch_votes()
    [group] = settled(plan.policy, batch, votes)
    asked = [vote for vote in votes if vote.variant in group.asked]
    rules = None
    if needs_rules(group.ensemble, asked, 1):
        rules = RULE_SET.apply(group.ensemble.thresholds, batch, record.values()).probability
    return group.arm, combine(group.ensemble, asked, 1, rules, group.asked)


def made(
    plan: Plan,
    n: int,
    seed: int = 0,
    *,
    silent: float = 0.1,
    schema_id: str = SCHEMA_ID,
    version: str = "0123456789ab",
) -> list[DecisionRecord]:
    """n decisions of a plan on random votes, row by row.

    Args:
        silent: share of votes that were late or failed, and of those without a number.
        version: of all models.
    """
    rng = np.random.default_rng(seed)
    values: Float32 = rng.gamma(1.0, 4.0, size=(n, N_FEATURES)).astype(np.float32)
    ids = decision_ids(n, DECIDED_AT_MS, os.urandom)
    records = []
    for i, payment in enumerate(payments(n, rng)):
        batch = TransactionBatch.of("default", [payment])
        answers = [_answer(name, version, rng, silent) for name in plan.deciding_variants]
        [group] = settled(plan.policy, batch, answers)
        votes = [vote for vote in answers if vote.variant in group.asked]
        bare = DecisionRecord(
            tenant="default",
            transaction=payment,
            schema_id=schema_id,
            features=values[i].tobytes(),
            votes=tuple(_recorded(vote) for vote in votes),
            plan=plan.to_document(),
            decision_id=ids[i],
            outcome="",
            probability=0.0,
            risk_score=0,
            anomaly_score=None,
            reasons=(),
            degraded=(),
            feature_age_ms=-1,
            decided_at_ms=DECIDED_AT_MS,
        )
        arm, combined = row_decided(plan, bare)
        records.append(_with(bare, arm, combined, plan))
    return records


def recorded(
    records: Sequence[DecisionRecord], labels: Mapping[str, tuple[bool, int]] | None = None
) -> RecordedDecisions:
    """Return decisions as they are read from PostgreSQL.

    Args:
        labels: transaction id -> (fraud, known_ms).
    """
    return RecordedDecisions.of(records[0].tenant, [_row(r, labels or {}) for r in records])


def _row(record: DecisionRecord, labels: Mapping[str, tuple[bool, int]]) -> dict[str, Any]:
    fraud, known_ms = labels.get(record.transaction.transaction_id, (None, None))
    return {
        "decision_id": record.decision_id,
        "decided_ms": record.decided_at_ms,
        "plan": record.plan["name"],
        "plan_version": record.plan["version"],
        "outcome": record.outcome,
        "probability": record.probability,
        "schema_id": record.schema_id,
        "features": record.features,
        "record": json.dumps(record.to_document()),
        "is_fraud": fraud,
        "known_ms": known_ms,
    }


def _answer(name: str, version: str, rng: np.random.Generator, silent: float) -> Vote:
    score, status = rng.random(), rng.random()
    if status < silent:
        return Vote(name, "", ("late", "failed")[rng.integers(2)], None, 100.0)
    number = np.nan if status < 1.5 * silent else score
    return Vote(name, version, "ok", np.array([number]), 1.0, version * 5 + "0123")


def _recorded(vote: Vote) -> RecordedVote:
    score = None if vote.scores is None else finite(vote.scores.item())
    return RecordedVote(vote.variant, vote.version, vote.digest, vote.status, score)


def _with(record: DecisionRecord, arm: str, combined: Combined, plan: Plan) -> DecisionRecord:
    [risk] = risk_scores(plan.control.thresholds, combined.probability, combined.outcome)
    return replace(
        record,
        outcome=OUTCOME_TEXT[int(combined.outcome[0])],
        probability=float(combined.probability[0]),
        risk_score=risk,
        anomaly_score=finite(combined.anomaly.item()),
        degraded=combined.degraded[0],
        arm=arm,
    )


def simulated_on_record(tenant: str, plan: Plan, last: int) -> dict[str, Any]:
    """Simulate a plan on up to 40 decisions on random votes, half of them with mature labels."""
    records = list(_on_record())
    known_ms = DECIDED_AT_MS + 86_400_000
    labels = {r.transaction.transaction_id: (r.probability > 0.7, known_ms) for r in records[::2]}
    simulation = Simulation(plan)
    simulation.add(recorded(records[:last], labels))
    result = simulation.result(tenant, last, known_ms + 86_400_000)
    return json.loads(json.dumps(result.to_document()))  # type: ignore[no-any-return]


@cache
def _on_record() -> tuple[DecisionRecord, ...]:
    members = (Member("xgboost", 0.6), Member("logistic", 0.4))
    return tuple(made(Plan("default", 3, Ensemble(members, Thresholds(0.3, 0.5, 0.9))), 40))


def index_of(outcome: str) -> int:
    """Return the index of an outcome among `OUTCOMES`."""
    return [o.value for o in OUTCOMES].index(outcome)
