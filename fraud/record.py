"""What is kept of a decision: everything needed to make it again, years later."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from importlib import metadata
from itertools import repeat
from typing import Any

import numpy as np

from fraud.batch import TRANSACTION_COLUMNS, FeatureBatch, Float32, TransactionBatch
from fraud.decision import OUTCOMES, DecisionBatch, Outcome, Reason, Vote
from fraud.plan import Plan
from fraud.transaction import Transaction


def plan_digest(document: dict[str, Any]) -> str:
    """SHA-256 hex of a plan's document: what a stored record names its plan by."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


CODE_VERSION = metadata.version("quorum-fraud")
"""Which code decides."""


@dataclass(frozen=True, slots=True)
class RecordedVote:
    """What one variant said of one row. `score` is None where it said nothing (see Vote)."""

    variant: str
    version: str
    digest: str
    status: str
    score: float | None


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, self-contained.

    Attributes:
        tenant: whose it is.
        transaction: what was decided on.
        schema_id: which features `features` are; artifacts of that schema name them.
        features: float32 little-endian, in schema order, NaN where unknown.
        votes: one for each variant that was asked.
        plan: the whole plan, as `Plan.to_document()` gives it.
        decision_id: UUIDv7.
        outcome: one of `OUTCOMES`.
        probability: calibrated probability of fraud in [0, 1].
        anomaly_score: in [0, 1], None if there is none.
        reasons: strongest first.
        degraded: why the answer is poorer than the plan wants, () if it is not.
        feature_age_ms: see FeatureBatch.age_ms.
        decided_at_ms: milliseconds since the epoch.
        code_version: version of the code that decided.
    """

    tenant: str
    transaction: Transaction
    schema_id: str
    features: bytes
    votes: tuple[RecordedVote, ...]
    plan: dict[str, Any]
    decision_id: str
    outcome: str
    probability: float
    anomaly_score: float | None
    reasons: tuple[Reason, ...]
    degraded: tuple[str, ...]
    feature_age_ms: int
    decided_at_ms: int
    code_version: str = CODE_VERSION

    def values(self) -> Float32:
        """float32[1, n_features]: the features, as a batch of one row."""
        return np.frombuffer(self.features, dtype="<f4").astype(np.float32).reshape(1, -1)

    def batch_votes(self) -> tuple[Vote, ...]:
        """The votes, as a batch of one row."""
        return tuple(
            Vote(
                v.variant,
                v.version,
                v.status,
                None if v.status != "ok" else np.array([_nan(v.score)], dtype=np.float64),
                0.0,
                v.digest,
            )
            for v in self.votes
        )

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict without the features, which are bytes and are stored beside it."""
        document = asdict(self)
        del document["features"]
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any], features: bytes) -> DecisionRecord:
        """Invert `to_document`.

        Raises:
            KeyError, TypeError: not such a document.
        """
        fields = dict(document)
        fields["transaction"] = Transaction(**fields["transaction"])
        fields["votes"] = tuple(RecordedVote(**v) for v in fields["votes"])
        fields["reasons"] = tuple(Reason(**r) for r in fields["reasons"])
        fields["degraded"] = tuple(fields["degraded"])
        return cls(features=features, **fields)


def records(
    batch: TransactionBatch, features: FeatureBatch, decisions: DecisionBatch, plan: Plan
) -> list[DecisionRecord]:
    """The records of a decided micro-batch, in its order; they share one plan document.

    Args:
        batch: n transactions.
        features: float32[n, n_features], what the models saw.
        decisions: n decisions on them.
        plan: the plan that decided.

    Raises:
        ValueError: the parts do not have the same n, or another plan decided.
    """
    n = len(batch)
    if len(features) != n or len(decisions) != n:
        raise ValueError(
            f"{n} transactions, {len(features)} feature rows, {len(decisions)} decisions"
        )
    if (decisions.plan, decisions.plan_version) != (plan.name, plan.version):
        raise ValueError("the decisions were made by another plan")
    # Column by column, and rows by position: this is on the way of every answer.
    columns = (getattr(batch, name) for name in TRANSACTION_COLUMNS)
    return list(
        map(
            DecisionRecord,
            batch.tenant,
            map(Transaction, *columns),
            repeat(features.schema_id),
            _rows(features.values),
            _votes(decisions.votes, n),
            repeat(plan.to_document()),
            decisions.decision_id,
            [_OUTCOME_TEXT[outcome] for outcome in decisions.outcome],
            map(float, decisions.probability),
            [_finite(score) for score in decisions.anomaly_score],
            decisions.reasons,
            repeat(decisions.degraded),
            map(int, decisions.feature_age_ms),
            repeat(decisions.decided_at_ms),
        )
    )


def _rows(values: Float32) -> list[bytes]:
    """Each row of float32[n, n_features], little-endian."""
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    width = 4 * values.shape[1]
    return [data[start : start + width] for start in range(0, width * len(values), width)]


_OUTCOME_TEXT = tuple(str(outcome) for outcome in OUTCOMES)
assert set(_OUTCOME_TEXT) == {o.value for o in Outcome}


def _votes(votes: tuple[Vote, ...], n: int) -> list[tuple[RecordedVote, ...]]:
    """For each row, what each variant said of it."""
    if not votes:
        return [()] * n
    return list(zip(*(_column(vote, n) for vote in votes), strict=True))


def _column(vote: Vote, n: int) -> list[RecordedVote]:
    said = vote.variant, vote.version, vote.digest, vote.status
    if vote.scores is None:
        return [RecordedVote(*said, None)] * n
    return [RecordedVote(*said, _finite(score)) for score in vote.scores.tolist()]


def _finite(value: float) -> float | None:
    """None for what JSON cannot say."""
    return float(value) if math.isfinite(value) else None


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
