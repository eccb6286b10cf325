"""The record of a decision: everything needed to make it again, years later."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from importlib import metadata
from itertools import repeat
from typing import Any, Final

import numpy as np

from fraud.decision import OUTCOMES, DecisionBatch, Reason, Vote
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.stage import decision_stages, expanded_stages


def plan_digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a plan's document, hex: records name their plan by it."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


CODE_VERSION = metadata.version("quorum-fraud")
"""Version of the code that decides."""

RECORD_ON_ONE_DISK: Final = "record_on_one_disk"
"""Degraded reason of an answer, never of a record: PostgreSQL had not got the record in time,
though it was to have it before the answer."""


@dataclass(frozen=True, slots=True)
class RecordedVote:
    """The answer of one variant for one row, see `Vote`. `score` is None where it gave none."""

    variant: str
    version: str
    digest: str
    status: str
    score: float | None


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, self-contained.

    Attributes:
        tenant: whose payment it is.
        transaction: the payment.
        schema_id: the schema of `features`; artifacts of that schema list their names.
        features: float32 little-endian, in schema order, NaN where unknown.
        votes: one for each variant that was asked.
        plan: the whole plan, as `Plan.to_document()` returns it.
        decision_id: UUIDv7.
        outcome: one of `OUTCOMES`.
        probability: calibrated probability of fraud in [0, 1].
        risk_score: integer 0-99, see `fraud.combine.risk`.
        anomaly_score: in [0, 1], None if there is none.
        reasons: strongest first.
        degraded: what was not available to the decision, () if nothing was missing.
        feature_age_ms: see FeatureBatch.age_ms.
        decided_at_ms: milliseconds since the epoch.
        explained_by: see DecisionBatch.
        code_version: version of the code that decided.
        stage_ms: milliseconds by stage, as the answer showed them.
        arm: see DecisionBatch.
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
    arm: str = ""

    def values(self) -> Float32:
        """Return the features as a batch of one row, float32[1, n_features]."""
        return np.frombuffer(self.features, dtype="<f4").astype(np.float32).reshape(1, -1)

    def batch_votes(self) -> tuple[Vote, ...]:
        """Return the votes as a batch of one row."""
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
        """Return a JSON-ready dict without the features, which are stored beside it as bytes."""
        document = asdict(self)
        del document["features"]
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any], features: bytes) -> DecisionRecord:
        """Invert `to_document`.

        Raises:
            KeyError, TypeError: it is not the document of a record.
        """
        fields = dict(document)
        fields["transaction"] = Transaction(**fields["transaction"])
        fields["votes"] = tuple(RecordedVote(**v) for v in fields["votes"])
        fields["reasons"] = tuple(Reason(**r) for r in fields["reasons"])
        fields["degraded"] = tuple(fields["degraded"])
        variants = [vote.variant for vote in fields["votes"]]
        fields["stage_ms"] = expanded_stages(fields.get("stage_ms", {}), variants)
        return cls(features=features, **fields)


@dataclass(frozen=True, slots=True, eq=False)
class PlanDocument:
    """A plan as records hold it: `document` is `Plan.to_document()`, `digest` its `plan_digest`."""

    name: str
    version: int
    digest: str
    document: dict[str, Any]


@dataclass(slots=True, eq=False)  # see TransactionBatch
class RecordBatch:
    """The records of one micro-batch as columns, as they are written and shipped.

    Iterating yields each row as a DecisionRecord.

    Attributes:
        transactions: n transactions.
        schema_id: see DecisionRecord.
        features: `DecisionRecord.features` of n rows, one after the other.
        decisions: n decisions on them.
        plan: the plan that decided, one object shared by its batches.
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
            repeat(d.arm),
        )

    def _stages(self) -> Iterator[dict[str, float]]:
        """For each row its milliseconds by stage."""
        shared = decision_stages(self.decisions.stage_ms)
        for own in self.transactions.stages or repeat("", len(self)):
            yield shared | json.loads(f"{{{own}}}")

    def rows_of_features(self) -> list[bytes]:
        """Return `DecisionRecord.features` of each row."""
        n, data = len(self), self.features
        width = len(data) // n if n else 1
        return [data[start : start + width] for start in range(0, width * n, width)]

    def slice(self, start: int, stop: int) -> RecordBatch:
        """Return rows start .. stop-1, 0 <= start <= stop <= n."""
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
    """Return the records of a decided micro-batch, in its order.

    Args:
        batch: n transactions.
        features: float32[n, n_features], as the models saw them.
        decisions: n decisions on them.
        plan: the plan that decided.

    Raises:
        ValueError: the parts differ in n, or another plan decided.
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


@lru_cache(maxsize=256)
def plan_document(plan: Plan) -> PlanDocument:
    """Return the plan as records hold it. Cached: it costs more than all else in a record."""
    document = plan.to_document()
    return PlanDocument(plan.name, plan.version, plan_digest(document), document)


OUTCOME_TEXT = tuple(outcome.value for outcome in OUTCOMES)
"""`OUTCOME_TEXT[i]`: the name of outcome i in records."""


def _votes(votes: tuple[Vote, ...], n: int) -> list[tuple[RecordedVote, ...]]:
    """For each row the answer of each variant."""
    if not votes:
        return [()] * n
    return list(zip(*(_column(vote, n) for vote in votes), strict=True))


def _column(vote: Vote, n: int) -> list[RecordedVote]:
    shared = vote.variant, vote.version, vote.digest, vote.status
    if vote.scores is None:
        return [RecordedVote(*shared, None)] * n
    return [RecordedVote(*shared, finite(score)) for score in vote.scores.tolist()]


def finite(value: float) -> float | None:
    """Return the number, None for NaN and infinities, which JSON does not have."""
    return float(value) if math.isfinite(value) else None


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
