"""Decides micro-batches, and records the decisions."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import numpy as np

from deciding.explainer import Explainer
from deciding.fan_out import FanOut
from deciding.plans.active import ActivePlan
from fraud.combine.combine import combine, needs_rules
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Vote
from fraud.errors import LogUnavailable, Unavailable
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, Float64, TransactionBatch
from fraud.plan import Plan
from fraud.record import RecordBatch, records
from fraud.stage import COMBINE, EXPLAIN, FEATURES, LOG, VOTES
from telemetry import metrics
from telemetry.stages import Stages

_FEW = 24
"""Up to this many rows a list is faster than numpy's four calls."""


class Log(Protocol):
    """Makes records durable."""

    async def append(self, records: RecordBatch) -> None:
        """Return once the records are durable.

        Raises:
            LogUnavailable: they are not.
        """
        ...


class Decider:
    """Decides micro-batches, and records the decisions.

    Args:
        plan: returns the active plan, None if none has been loaded.
        fetch: features of a micro-batch; see `FeatureClient`.
        fan_out: asks the variants.
        explainer: finds reasons.
        log: makes records durable.
        now_ms: milliseconds since the epoch.
        randomness: k -> k random bytes.
    """

    def __init__(
        self,
        plan: Callable[[], ActivePlan | None],
        fetch: Callable[[TransactionBatch, bool], Awaitable[FeatureBatch]],
        fan_out: FanOut,
        explainer: Explainer,
        log: Log,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._plan = plan
        self._fetch = fetch
        self._fan_out = fan_out
        self._explainer = explainer
        self._log = log
        self._now_ms = now_ms
        self._randomness = randomness

    async def decide(self, batch: TransactionBatch, patient: bool = True) -> DecisionBatch:
        """Decide on n transactions and record the decisions.

        A variant, Redis or PostgreSQL that does not answer makes decisions degraded. Decisions are
        durable when this returns.

        Args:
            batch: the transactions.
            patient: wait for rows whose history must be fetched first. Otherwise they are left out,
                see `DecisionBatch.pending`.

        Raises:
            LogUnavailable: the decisions could not be made durable, so none is returned.
            Unavailable: no plan has been loaded yet.
        """
        active = self._plan()
        if active is None:
            raise Unavailable("no plan has been loaded yet")
        plan, stages = active.plan, Stages()
        features = await self._fetch(batch.bare(), patient)
        if features.pending:
            pending = set(features.pending)
            batch = batch.take([i for i in range(len(batch)) if i not in pending])
            if not len(batch):
                return _no_decisions(plan, features.pending)
        stages.lap(FEATURES)
        stages.within(features.stage_ms)
        votes = await self._fan_out.ask(active.policy, features, plan.deadline_ms)
        stages.lap(VOTES)
        stages.votes(votes)
        decisions = await self._combine(plan, batch, features, votes, stages)
        try:
            await self._log.append(records(batch, features, decisions, plan))
        except LogUnavailable:
            metrics.LOG_REFUSED.inc(len(batch))
            raise
        stages.lap(LOG)
        metrics.tally.later(self._count, plan, decisions)
        decisions.pending = features.pending
        return decisions

    async def _combine(
        self,
        plan: Plan,
        batch: TransactionBatch,
        features: FeatureBatch,
        votes: tuple[Vote, ...],
        stages: Stages,
    ) -> DecisionBatch:
        n = len(batch)
        fired = (
            self._explainer.rules(plan, batch, features) if needs_rules(plan, votes, n) else None
        )
        combined = combine(plan, votes, n, None if fired is None else fired.probability)
        stages.lap(COMBINE)
        explained = await self._explainer.reasons(plan, batch, features, combined, votes, fired)
        stages.lap(EXPLAIN)
        now_ms = self._now_ms()
        return DecisionBatch(
            decision_id=decision_ids(n, now_ms, self._randomness),
            transaction_id=batch.transaction_id,
            outcome=combined.outcome.tolist(),
            probability=combined.probability.tolist(),
            risk_score=risk_scores(plan.thresholds, combined.probability, combined.outcome),
            anomaly_score=combined.anomaly.tolist(),
            reasons=explained.reasons,
            votes=votes,
            plan=plan.name,
            plan_version=plan.version,
            degraded=_both(features.degraded, combined.degraded),
            feature_age_ms=features.age_ms.tolist(),
            decided_at_ms=now_ms,
            explained_by=explained.explained_by,
            stage_ms=stages.ms,
        )

    @staticmethod
    def _count(plan: Plan, decisions: DecisionBatch) -> None:
        metrics.observe_stages(decisions.stage_ms)
        metrics.observe_decisions(decisions.outcome, decisions.degraded)
        for vote in decisions.votes:
            rows, flagged = _counts(vote.scores, _flag_at(plan, vote.variant))
            metrics.observe_vote(vote.variant, vote.status, vote.elapsed_ms, rows, flagged)


def _no_decisions(plan: Plan, pending: tuple[int, ...]) -> DecisionBatch:
    none: list[Any] = []
    columns = (none, none, none, none, none, none, none)
    return DecisionBatch(
        *columns, (), plan.name, plan.version, none, none, 0, stage_ms={}, pending=pending
    )


def _both(features: list[tuple[str, ...]], votes: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`DecisionBatch.degraded`: for each row what its features lack, then what its votes lack."""
    if not any(features):
        return votes
    if not any(votes):
        return features
    return [a + b for a, b in zip(features, votes, strict=True)]


def _flag_at(plan: Plan, variant: str) -> float:
    """The score from which a variant's vote counts as a vote for fraud."""
    if variant == plan.anomaly:
        return plan.thresholds.anomaly_challenge or 1.0
    return plan.thresholds.challenge


def _counts(scores: Float64 | None, flag_at: float) -> tuple[int, int]:
    """Return how many rows have a score, and how many of these reach `flag_at`."""
    if scores is None:
        return 0, 0
    if len(scores) <= _FEW:
        few = scores.tolist()
        return sum([s == s for s in few]), sum([s >= flag_at for s in few])
    return int(np.count_nonzero(scores == scores)), int(np.count_nonzero(scores >= flag_at))
