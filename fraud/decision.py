"""Votes and decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any

import numpy as np

from fraud.payment.batch import Float64, packed


class Outcome(StrEnum):
    """What to do with the payment, mildest first."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    BLOCK = "block"


OUTCOMES = tuple(Outcome)
RISK_LEVELS = ("low", "medium", "high", "critical")
"""`RISK_LEVELS[i]` goes with `OUTCOMES[i]`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision is not `approve`.

    Attributes:
        code: one of `fraud.reasons.catalogue`, such as `CUSTOMER_VELOCITY`.
        feature: name of the feature that `detail` is about, None if it is about none.
        detail: a sentence for an analyst: the value, and what is usual.
        contribution: log-odds that the features of the code added together, > 0; 0.0 for a rule, an
            anomaly or a bare score, which have none.
        direction: effect on the risk, always `raises`: what lowers the risk is not a reason.
    """

    code: str
    feature: str | None
    detail: str
    contribution: float
    direction: str = "raises"

    def __reduce__(self) -> tuple[Any, ...]:
        return Reason, (
            self.code,
            self.feature,
            self.detail,
            self.contribution,
            self.direction,
        )


@dataclass(slots=True)  # see TransactionBatch
class Vote:
    """The answer of one variant for n rows.

    Attributes:
        variant: name of the variant.
        version: its artifact version (first 12 hex digits of the digest); "" unless `ok`.
        status: `ok`, `missing` (no such pool), `late` (past the deadline), `failed`.
        scores: float64[n]: calibrated probabilities in [0, 1] (supervised), anomaly scores in
            [0, 1], higher is more unusual (anomaly); NaN where there is none. None unless `ok`.
        elapsed_ms: how long the answer took, as the caller saw it; 0.0 if no call was made.
        digest: SHA-256 of the artifact's manifest, hex; "" unless `ok`.
    """

    variant: str
    version: str
    status: str
    scores: Float64 | None
    elapsed_ms: float
    digest: str = ""

    def parts(self) -> tuple[Any, ...]:
        """Return plain values that pickle fast (protocol 5); `vote` inverts it."""
        scores = None if self.scores is None else packed(self.scores)
        return self.variant, self.version, self.status, scores, self.elapsed_ms, self.digest

    def __reduce__(self) -> tuple[Any, ...]:
        return vote, self.parts()


def vote(
    variant: str, version: str, status: str, scores: bytes | None, elapsed_ms: float, digest: str
) -> Vote:
    """Return the vote of these `parts`."""
    values = None if scores is None else np.frombuffer(scores, np.float64)
    return Vote(variant, version, status, values, elapsed_ms, digest)


@dataclass(slots=True)
class DecisionBatch:
    """n decisions as columns, made by one ensemble of one plan.

    Attributes:
        decision_id: UUIDv7s; their time part is `decided_at_ms`.
        outcome: indices into `OUTCOMES`.
        probability: calibrated probability of fraud in [0, 1].
        risk_score: integer 0-99, see `fraud.combine.risk`.
        anomaly_score: in [0, 1]; NaN where the anomaly variant did not answer.
        reasons: strongest first; () exactly where the outcome is `approve`.
        votes: one for each variant asked, columns of n rows.
        plan, plan_version: the plan that decided.
        arm: the way through the plan to the ensemble that decided, such as `eur > challenger`; ""
            if the plan does not split.
        degraded: for each row what was not available to its decision, () if nothing was missing.
        feature_age_ms: see FeatureBatch.age_ms.
        stage_ms: milliseconds the batch spent in each stage.
        decided_at_ms: milliseconds since the epoch.
        explained_by: digest of the artifact whose contributions the reasons come from, "" if no
            model was asked for them, or none answered.
    """

    decision_id: list[str]
    transaction_id: list[str]
    outcome: list[int]
    probability: list[float]
    risk_score: list[int]
    anomaly_score: list[float]
    reasons: list[tuple[Reason, ...]]
    votes: tuple[Vote, ...]
    plan: str
    plan_version: int
    degraded: list[tuple[str, ...]]
    feature_age_ms: list[int]
    decided_at_ms: int
    explained_by: str = ""
    stage_ms: dict[str, float] = field(default_factory=dict)
    arm: str = ""

    def __len__(self) -> int:
        return len(self.decision_id)

    def parts(self) -> tuple[Any, ...]:
        """Return plain values that pickle fast (protocol 5), except reasons; `decision_batch`
        inverts it."""
        parts = list(_columns(self))
        parts[_VOTES] = [vote.parts() for vote in self.votes]
        return tuple(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return decision_batch, self.parts()


_COLUMNS = tuple(f.name for f in fields(DecisionBatch))
_VOTES = _COLUMNS.index("votes")
_columns: Callable[[DecisionBatch], tuple[Any, ...]] = attrgetter(*_COLUMNS)


def decision_batch(*parts: Any) -> DecisionBatch:
    """Return the batch of these `parts`."""
    columns = list(parts)
    columns[_VOTES] = tuple([vote(*of_vote) for of_vote in columns[_VOTES]])
    return DecisionBatch(*columns)


@dataclass(slots=True)
class Decisions:
    """The decisions on one micro-batch.

    Attributes:
        batches: the decided rows, in groups that one ensemble of one plan decided.
        rows: for each batch the indices of its rows in the request, rising.
        pending: indices of rows that are not decided yet. Send them again with `patient`.
    """

    batches: tuple[DecisionBatch, ...]
    rows: tuple[list[int], ...]
    pending: tuple[int, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    def __reduce__(self) -> tuple[Any, ...]:
        return decisions_of, ([b.parts() for b in self.batches], self.rows, self.pending)


def decisions_of(
    batches: list[tuple[Any, ...]], rows: tuple[list[int], ...], pending: tuple[int, ...]
) -> Decisions:
    """Return the decisions of these parts."""
    return Decisions(tuple([decision_batch(*parts) for parts in batches]), rows, pending)
