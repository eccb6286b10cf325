"""Replay: a decision made again from its record, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from deciding.replay.check import DIFFERS, ROUNDING, UNCHECKED, Check, close, same
from deciding.replay.reasons import reasons_check
from fraud.errors import ArtifactRefused, ArtifactsUnavailable, NotFound, SchemaMismatch
from fraud.ids import decided_at_ms
from fraud.record import DecisionRecord, RecordedVote, plan_digest
from fraud.variant import base_variant
from stores.statements import statement

if TYPE_CHECKING:
    import asyncpg

    from models.store.store import ArtifactStore


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay. `matches`: no check differs; unchecked ones do not count."""

    decision_id: str
    tenant: str
    transaction_id: str
    decided_at_ms: int
    code_version: str
    plan: str
    matches: bool
    checks: tuple[Check, ...]

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return asdict(self) | {"checks": [check.to_document() for check in self.checks]}


@dataclass(frozen=True, slots=True)
class Stored:
    """A decision as PostgreSQL holds it: its record, and the columns beside it."""

    record: DecisionRecord
    plan_digest: str
    outcome: str
    probability: float
    anomaly_score: float | None


async def fetch(connection: asyncpg.Connection, tenant: str, decision_id: str) -> Stored:
    """Read a decision.

    Raises:
        ValueError: `decision_id` is not a decision id.
        NotFound: the tenant has no such decision, or its plan is not on record.
    """
    at_ms = decided_at_ms(decision_id)
    row = await connection.fetchrow(
        statement("decision_log/readers/sql/decision_record.sql"), tenant, decision_id, at_ms
    )
    if row is None:
        raise NotFound(f"tenant {tenant} has no decision {decision_id}")
    if row["plan"] is None:
        raise NotFound(f"the plan of {decision_id} is not on record")
    document, plan = json.loads(row["record"]), json.loads(row["plan"])
    digest, document["plan"] = document["plan"]["digest"], plan
    record = DecisionRecord.from_document(document, row["features"])
    return Stored(record, digest, row["outcome"], row["probability"], row["anomaly_score"])


def replay(stored: Stored, artifacts: ArtifactStore) -> Replay:
    """Make a decision again and compare it with its record.

    Its votes are combined under its plan. Its features are scored again by those artifacts that are
    here, to the tolerance that each states for its golden rows.
    """
    record = stored.record
    checks = (
        *_columns(stored),
        *_combined(record),
        *_rescored(record, artifacts),
        reasons_check(record, artifacts),
    )
    return Replay(
        decision_id=record.decision_id,
        tenant=record.tenant,
        transaction_id=record.transaction.transaction_id,
        decided_at_ms=record.decided_at_ms,
        code_version=record.code_version,
        plan=f"{record.plan['name']} {record.plan['version']}",
        matches=all(check.result != DIFFERS for check in checks),
        checks=checks,
    )


def _columns(stored: Stored) -> Iterator[Check]:
    """Compare the plan, and the columns that queries filter by, with the record."""
    record = stored.record
    yield same("plan digest", stored.plan_digest, plan_digest(record.plan))
    yield same("outcome column", record.outcome, stored.outcome)
    yield close("probability column", record.probability, stored.probability, 0.0)
    yield close("anomaly score column", record.anomaly_score, stored.anomaly_score, 0.0)


def _combined(record: DecisionRecord) -> Iterator[Check]:
    import numpy as np

    from features.definitions import RULE_SET, SCHEMA_ID
    from fraud.combine.combine import combine, needs_rules
    from fraud.combine.risk import risk_scores
    from fraud.decision import OUTCOMES
    from fraud.payment.batch import TransactionBatch
    from fraud.plan import Plan
    from fraud.policy.recorded import settled

    votes = record.batch_votes()
    batch = TransactionBatch.of(record.tenant, [record.transaction])
    [group] = settled(Plan.from_document(record.plan).policy, batch, votes)
    ensemble = group.ensemble
    yield same("arm", record.arm, group.arm)
    rules = None
    note = ""
    if needs_rules(ensemble, votes, 1):
        note = "rules decided"
        if record.schema_id != SCHEMA_ID:
            yield Check("outcome", record.outcome, None, UNCHECKED, "rules of another schema")
            return
        rules = RULE_SET.apply(ensemble.thresholds, batch, record.values()).probability
    combined = combine(ensemble, votes, 1, rules, group.asked)
    anomaly = float(combined.anomaly[0])
    yield same("outcome", record.outcome, str(OUTCOMES[int(combined.outcome[0])]), note)
    [score] = risk_scores(ensemble.thresholds, combined.probability, combined.outcome)
    yield close("risk score", record.risk_score, score, 0.0)
    yield close("probability", record.probability, float(combined.probability[0]), ROUNDING, note)
    yield close(
        "anomaly score", record.anomaly_score, None if np.isnan(anomaly) else anomaly, ROUNDING
    )


def _rescored(record: DecisionRecord, artifacts: ArtifactStore) -> Iterator[Check]:
    for vote in record.votes:
        if vote.status == "ok":
            yield _vote(record, vote, artifacts)


def _vote(record: DecisionRecord, vote: RecordedVote, artifacts: ArtifactStore) -> Check:
    from models.scoring.scorer import Scorer

    what = f"score of {vote.variant} {vote.version}"
    variant = base_variant(vote.variant)
    absent = Check(what, vote.score, None, UNCHECKED, "the artifact is not here")
    try:
        if not vote.digest or vote.version not in artifacts.versions(variant):
            return absent
        folder = artifacts.fetch(variant, vote.version, vote.digest)
    except ArtifactsUnavailable as error:
        return replace(absent, note=str(error))
    except ArtifactRefused as error:
        return Check(what, vote.score, None, DIFFERS, str(error))
    try:
        scorer = Scorer.load(folder, vote.digest)
        score = float(scorer.score(record.values(), record.schema_id)[0])
    except (ArtifactRefused, SchemaMismatch) as error:
        return Check(what, vote.score, None, DIFFERS, str(error))
    return close(what, vote.score, score, scorer.manifest.golden_tolerance)
