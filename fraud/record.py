"""What is kept of a decision: everything needed to make it again, years later."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from importlib import metadata
from itertools import repeat
from typing import Any

import numpy as np

from fraud.decision import OUTCOMES, DecisionBatch, Reason, Vote
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.stage import spelled_out, told


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
        risk_score: integer 0-99, see `fraud.combine.risk`.
        anomaly_score: in [0, 1], None if there is none.
        reasons: strongest first.
        degraded: why the answer is poorer than the plan wants, () if it is not.
        feature_age_ms: see FeatureBatch.age_ms.
        decided_at_ms: milliseconds since the epoch.
        explained_by: see DecisionBatch.
        code_version: version of the code that decided.
        stage_ms: milliseconds by stage, as the answer told them.
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
    risk_score: int
    anomaly_score: float | None
    reasons: tuple[Reason, ...]
    degraded: tuple[str, ...]
    feature_age_ms: int
    decided_at_ms: int
    explained_by: str = ""
    code_version: str = CODE_VERSION
    stage_ms: dict[str, float] = field(default_factory=dict)

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
        variants = [vote.variant for vote in fields["votes"]]
        fields["stage_ms"] = spelled_out(fields.get("stage_ms", {}), variants)
        return cls(features=features, **fields)


@dataclass(frozen=True, slots=True, eq=False)
class PlanDocument:
    """A plan as records keep it: `document` is `Plan.to_document()`, `digest` its `plan_digest`."""

    name: str
    version: int
    digest: str
    document: dict[str, Any]


@dataclass(slots=True, eq=False)  # see TransactionBatch
class RecordBatch:
    """The records of one micro-batch as columns, which is how they are written and shipped.

    Iterating gives each row as a DecisionRecord.

    Attributes:
        transactions: n transactions.
        schema_id: see DecisionRecord.
        features: `DecisionRecord.features` of n rows, one after the other.
        decisions: n decisions on them.
        plan: what decided, shared by the batches that it decided.
        code_version: see DecisionRecord.
    """

    transactions: TransactionBatch
    schema_id: str
    features: bytes
    decisions: DecisionBatch
    plan: PlanDocument
    code_version: str = CODE_VERSION

    def __len__(self) -> int:
        return len(self.transactions)

    def __iter__(self) -> Iterator[DecisionRecord]:
        d, n = self.decisions, len(self)
        return map(
            DecisionRecord,
            self.transactions.tenant,
            map(self.transactions.row, range(n)),
            repeat(self.schema_id),
            self.rows_of_features(),
            _votes(d.votes, n),
            repeat(self.plan.document),
            d.decision_id,
            [OUTCOME_TEXT[outcome] for outcome in d.outcome],
            d.probability,
            d.risk_score,
            map(finite, d.anomaly_score),
            d.reasons,
            d.degraded,
            d.feature_age_ms,
            repeat(d.decided_at_ms),
            repeat(d.explained_by),
            repeat(self.code_version),
            self._stages(),
        )

    def _stages(self) -> Iterator[dict[str, float]]:
        """For each row, its times by stage."""
        shared = told(self.decisions.stage_ms)
        for own in self.transactions.stages or repeat("", len(self)):
            yield shared | json.loads(f"{{{own}}}")

    def rows_of_features(self) -> list[bytes]:
        """`DecisionRecord.features` of each row."""
        n, data = len(self), self.features
        width = len(data) // n if n else 1
        return [data[start : start + width] for start in range(0, width * n, width)]

    def slice(self, start: int, stop: int) -> RecordBatch:
        """Rows start .. stop-1, 0 <= start <= stop <= n."""
        d, width = self.decisions, len(self.features) // max(1, len(self))
        rows = slice(start, stop)
        votes = (v if v.scores is None else replace(v, scores=v.scores[rows]) for v in d.votes)
        return replace(
            self,
            transactions=self.transactions.slice(start, stop),
            features=self.features[start * width : stop * width],
            decisions=replace(
                d,
                decision_id=d.decision_id[rows],
                transaction_id=d.transaction_id[rows],
                outcome=d.outcome[rows],
                probability=d.probability[rows],
                risk_score=d.risk_score[rows],
                anomaly_score=d.anomaly_score[rows],
                reasons=d.reasons[rows],
                degraded=d.degraded[rows],
                feature_age_ms=d.feature_age_ms[rows],
                votes=tuple(votes),
            ),
        )


def records(
    batch: TransactionBatch, features: FeatureBatch, decisions: DecisionBatch, plan: Plan
) -> RecordBatch:
    """The records of a decided micro-batch, in its order.

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
    data = np.ascontiguousarray(features.values, dtype="<f4").tobytes()
    return RecordBatch(batch, features.schema_id, data, decisions, plan_document(plan))


@lru_cache(maxsize=16)
def plan_document(plan: Plan) -> PlanDocument:
    """The plan as records keep it, made once: that takes longer than all else about a record."""
    document = plan.to_document()
    return PlanDocument(plan.name, plan.version, plan_digest(document), document)


OUTCOME_TEXT = tuple(outcome.value for outcome in OUTCOMES)
"""`OUTCOME_TEXT[i]`: what records call outcome i."""


def _votes(votes: tuple[Vote, ...], n: int) -> list[tuple[RecordedVote, ...]]:
    """For each row, what each variant said of it."""
    if not votes:
        return [()] * n
    return list(zip(*(_column(vote, n) for vote in votes), strict=True))


def _column(vote: Vote, n: int) -> list[RecordedVote]:
    said = vote.variant, vote.version, vote.digest, vote.status
    if vote.scores is None:
        return [RecordedVote(*said, None)] * n
    return [RecordedVote(*said, finite(score)) for score in vote.scores.tolist()]


def finite(value: float) -> float | None:
    """None for what JSON cannot say."""
    return float(value) if math.isfinite(value) else None


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
