"""Decides micro-batches, and records the decisions."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deciding.explainer import Explained, Explainer
from deciding.fan_out import FanOut
from deciding.shadows import ShadowRunner
from fraud.asking import Asking, Rows, together
from fraud.combine.combine import Combined, combine, needs_rules
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Decisions, Vote
from fraud.ensemble import Ensemble, Settled
from fraud.errors import LogUnavailable, Unavailable
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, Float64, TransactionBatch
from fraud.plan import Plan
from fraud.record import RECORD_ON_ONE_DISK, RecordBatch, records
from fraud.rules.rule_set import FiredRules
from fraud.stage import COMBINE, DATABASE, EXPLAIN, FEATURES, LOG, VOTES
from fraud.variant import HOUSE
from telemetry import metrics
from telemetry.stages import Stages

BUSY_MS = 40.0
"""Mean wait for votes from which variants count as busy; most deadlines are about 100 ms."""
_SMOOTHING = 0.1
_FEW = 24
"""Up to this many rows a list is faster than numpy's four calls."""


class Log(Protocol):
    """Makes records durable."""

    async def append(self, batches: Sequence[RecordBatch]) -> None:
        """Return once the records of all batches are durable.

        Raises:
            LogUnavailable: they are not.
        """
        ...


class Decider:
    """Decides micro-batches, and records the decisions.

    Args:
        plan_for: returns the active plan of a tenant, None if none has been loaded.
        fetch: features of a micro-batch; see `FeatureClient`.
        fan_out: asks the variants.
        explainer: finds reasons.
        log: makes records durable.
        shadows: asks the shadows of plans; None: they are not asked.
        reach_database: waits until PostgreSQL has the records, for a bounded time; returns whether
            it has. None: answers do not wait for that.
        now_ms: milliseconds since the epoch.
        randomness: k -> k random bytes.
    """

    def __init__(
        self,
        plan_for: Callable[[str], Plan | None],
        fetch: Callable[[TransactionBatch, bool], Awaitable[FeatureBatch]],
        fan_out: FanOut,
        explainer: Explainer,
        log: Log,
        shadows: ShadowRunner | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        randomness: Callable[[int], bytes] = os.urandom,
        reach_database: Callable[[Sequence[RecordBatch]], Awaitable[bool]] | None = None,
    ) -> None:
        self._plan_for = plan_for
        self._fetch = fetch
        self._fan_out = fan_out
        self._explainer = explainer
        self._log = log
        self._shadows = shadows
        self._now_ms = now_ms
        self._randomness = randomness
        self._reach_database = reach_database
        self._votes_ms = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether variants take so long to vote that they should be asked nothing else."""
        return self._votes_ms > BUSY_MS

    async def decide(self, batch: TransactionBatch, patient: bool = True) -> Decisions:
        """Decide on n transactions and record the decisions.

        A variant, Redis or PostgreSQL that does not answer makes decisions degraded. Decisions are
        durable when this returns, on this machine's disk at least.

        Args:
            batch: the transactions.
            patient: wait for rows whose history must be fetched first. Otherwise they are left out,
                see `Decisions.pending`.

        Raises:
            LogUnavailable: the decisions could not be made durable, so none is returned.
            Unavailable: no plan has been loaded yet.
        """
        # Taken once: a micro-batch is decided under the plans of one moment.
        plans = {tenant: self._required_plan(tenant) for tenant in dict.fromkeys(batch.tenant)}
        stages, request_rows = Stages(), None
        features = await self._fetch(batch.bare(), patient)
        if features.pending:
            pending = set(features.pending)
            request_rows = [i for i in range(len(batch)) if i not in pending]
            batch = batch.take(request_rows)
            if not len(batch):
                return Decisions((), (), features.pending)
        stages.lap(FEATURES)
        stages.within(features.stage_ms)
        asking = Asking(batch)
        groups = await self._ask(plans, asking, features)
        stages.lap(VOTES)
        self._votes_ms += (stages.ms[VOTES] - self._votes_ms) * _SMOOTHING
        now_ms = self._now_ms()
        decided = await self._decide_groups(groups, asking, features, stages, now_ms)
        kept = [record for _, record in decided]
        try:
            await self._log.append(kept)
        except LogUnavailable:
            metrics.LOG_REFUSED.inc(len(batch))
            raise
        batches = tuple([record.decisions for record in kept])
        stages.lap(LOG)
        for decisions in batches:
            decisions.stage_ms[LOG] = stages.ms[LOG]
        if self._reach_database is not None and kept:
            _note_arrival(batches, await self._reach_database(kept), stages)
        rows = [_indices(group.rows, len(batch)) for _, group in groups]
        house = self._plan_for(HOUSE)
        of_house = [plan is house for plan, _ in groups]
        ensembles = [group.ensemble for _, group in groups]
        metrics.tally.later(_count, of_house, ensembles, batches)
        if asking.shadows and self._shadows is not None:
            self._shadows.launch(asking, features, batches, rows, of_house)
        if request_rows is not None:
            rows = [[request_rows[i] for i in own] for own in rows]
        return Decisions(batches, tuple(rows), features.pending)

    def _required_plan(self, tenant: str) -> Plan:
        plan = self._plan_for(tenant)
        if plan is None:
            raise Unavailable("no plan has been loaded yet")
        return plan

    async def _ask(
        self, plans: dict[str, Plan], asking: Asking, features: FeatureBatch
    ) -> list[tuple[Plan, Settled]]:
        """Ask the variants of every tenant's plan about its rows."""
        parts = _parts(plans, asking.batch.tenant)
        if len(parts) == 1:
            [(plan, rows)] = parts
            run = plan.policy.run(asking, rows, "")
            return [(plan, group) for group in await self._fan_out.run(run, asking, features)]
        runs = [plan.policy.run(asking, rows, "") for plan, rows in parts]
        found = await self._fan_out.run(together(runs), asking, features)
        return [
            (plan, group)
            for (plan, _), groups in zip(parts, found, strict=True)
            for group in groups
        ]

    async def _decide_groups(
        self,
        groups: list[tuple[Plan, Settled]],
        asking: Asking,
        features: FeatureBatch,
        stages: Stages,
        now_ms: int,
    ) -> list[tuple[Plan, RecordBatch]]:
        """Return each group's plan and records."""
        ids = decision_ids(len(asking.batch), now_ms, self._randomness)
        watches = [stages.fork() if i else stages for i in range(len(groups))]
        parts = [
            self._combined(plan, group, asking, features, watch, ids)
            for (plan, group), watch in zip(groups, watches, strict=True)
        ]
        # Groups wait for reasons at the same time. A task for each would cost more than all that
        # they do, and most groups need no reasons.
        waiting = [part for part in parts if part.combined.outcome.any()]
        if len(waiting) > 1:
            found = await asyncio.gather(*(self._explained(part) for part in waiting))
            reasons = dict(zip(map(id, waiting), found, strict=True))
        else:
            reasons = {}
        made = []
        for part in parts:
            explained = reasons.get(id(part)) or await self._explained(part)
            made.append((part.plan, _record(part, explained, now_ms)))
        return made

    def _combined(
        self,
        plan: Plan,
        group: Settled,
        asking: Asking,
        features: FeatureBatch,
        stages: Stages,
        ids: list[str],
    ) -> _Part:
        """Combine the votes of a group of rows."""
        ensemble, batch = group.ensemble, asking.batch
        if group.rows is not None:
            rows = group.rows.tolist()
            batch, features = batch.take(rows), features.take(group.rows)
            ids = [ids[i] for i in rows]
        n = len(batch)
        votes = asking.votes.votes(group.asked, group.rows)
        stages.votes(votes)
        fired = (
            self._explainer.rules(ensemble, batch, features)
            if needs_rules(ensemble, votes, n)
            else None
        )
        rules = None if fired is None else fired.probability
        combined = combine(ensemble, votes, n, rules, group.asked)
        stages.lap(COMBINE)
        return _Part(plan, group, batch, features, ids, votes, fired, combined, stages)

    async def _explained(self, part: _Part) -> Explained:
        """Find the reasons of a group of rows."""
        explained = await self._explainer.reasons(
            part.group.ensemble, part.batch, part.features, part.combined, part.votes, part.fired
        )
        part.stages.lap(EXPLAIN)
        return explained


@dataclass(slots=True)
class _Part:
    """A group of rows whose votes are combined; `batch`, `features`, `ids`, `votes` and `combined`
    are of its rows."""

    plan: Plan
    group: Settled
    batch: TransactionBatch
    features: FeatureBatch
    ids: list[str]
    votes: tuple[Vote, ...]
    fired: FiredRules | None
    combined: Combined
    stages: Stages


def _record(part: _Part, explained: Explained, now_ms: int) -> RecordBatch:
    """The decisions on a group of rows, and their records."""
    plan, combined, features = part.plan, part.combined, part.features
    thresholds = part.group.ensemble.thresholds
    decisions = DecisionBatch(
        decision_id=part.ids,
        transaction_id=part.batch.transaction_id,
        outcome=combined.outcome.tolist(),
        probability=combined.probability.tolist(),
        risk_score=risk_scores(thresholds, combined.probability, combined.outcome),
        anomaly_score=combined.anomaly.tolist(),
        reasons=explained.reasons,
        votes=part.votes,
        plan=plan.name,
        plan_version=plan.version,
        degraded=_both(features.degraded, combined.degraded),
        feature_age_ms=features.age_ms.tolist(),
        decided_at_ms=now_ms,
        explained_by=explained.explained_by,
        stage_ms=part.stages.ms,
        arm=part.group.arm,
    )
    return records(part.batch, features, decisions, plan)


def _note_arrival(batches: Sequence[DecisionBatch], is_in_database: bool, stages: Stages) -> None:
    """Note in answers whether PostgreSQL has their records. The records do not say so: whoever
    reads one there knows, and health of arms must not depend on it."""
    stages.lap(DATABASE)
    for decisions in batches:
        decisions.stage_ms = {**decisions.stage_ms, DATABASE: stages.ms[DATABASE]}
        if not is_in_database:
            decisions.degraded = [(*why, RECORD_ON_ONE_DISK) for why in decisions.degraded]


def _parts(plans: dict[str, Plan], tenants: list[str]) -> list[tuple[Plan, Rows]]:
    """Return each plan with the rows that it decides."""
    distinct = {id(plan): plan for plan in plans.values()}
    if len(distinct) == 1:
        return [(plan, None) for plan in distinct.values()]
    of_row = np.array([id(plans[tenant]) for tenant in tenants])
    return [(plan, np.flatnonzero(of_row == key)) for key, plan in distinct.items()]


def _indices(rows: Rows, n: int) -> list[int]:
    return list(range(n)) if rows is None else rows.tolist()


def _both(features: list[tuple[str, ...]], votes: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`DecisionBatch.degraded`: for each row what its features lack, then what its votes lack."""
    if not any(features):
        return votes
    if not any(votes):
        return features
    return [a + b for a, b in zip(features, votes, strict=True)]


def _count(
    of_house: Sequence[bool], ensembles: Sequence[Ensemble], batches: Sequence[DecisionBatch]
) -> None:
    """Add a micro-batch to the metrics.

    Args:
        of_house, ensembles: for each batch whether the house's plan decided, and the ensemble that
            did.
    """
    stage_ms: dict[str, float] = {}
    for is_house, ensemble, decisions in zip(of_house, ensembles, batches, strict=True):
        stage_ms |= decisions.stage_ms
        metrics.observe_decisions(decisions.outcome, decisions.degraded)
        if decisions.arm and is_house:
            # Tenants' plans are no labels: there is no end to them.
            metrics.observe_arm(decisions.plan, decisions.arm, decisions.outcome)
        for vote in decisions.votes:
            rows, flagged = _counts(vote.scores, _flag_at(ensemble, vote.variant))
            metrics.observe_vote(vote.variant, vote.status, vote.elapsed_ms, rows, flagged)
    metrics.observe_stages(stage_ms)


def _flag_at(ensemble: Ensemble, variant: str) -> float:
    """The score from which a variant's vote counts as a vote for fraud."""
    if variant == ensemble.anomaly:
        return ensemble.thresholds.anomaly_challenge or 1.0
    return ensemble.thresholds.challenge


def _counts(scores: Float64 | None, flag_at: float) -> tuple[int, int]:
    """Return how many rows have a score, and how many of these reach `flag_at`."""
    if scores is None:
        return 0, 0
    if len(scores) <= _FEW:
        few = scores.tolist()
        return sum([s == s for s in few]), sum([s >= flag_at for s in few])
    return int(np.count_nonzero(scores == scores)), int(np.count_nonzero(scores >= flag_at))
