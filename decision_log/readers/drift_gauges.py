"""Drift as gauges: measured on decisions on record, by one replica at a time.

The house's plan is measured over all tenants that it decides for, and a tenant's own plan over that
tenant, each against the training of its models. Decisions do not wait for it: it reads what the
decision log has shipped, in parts, and yields to the event loop between parts. Independent of Ray.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from decision_log.readers.scored_decisions import (
    ENSEMBLE,
    ScoredDecisions,
    labelled,
    newest,
    shown_names,
)
from features.state.labels import REACH_DAYS
from fraud.errors import QuorumError
from fraud.payment.batch import Float64, Int64
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.drift import LEAST_ROWS, ReferenceDistribution, calibration, matured
from models.store.origin import Origin
from stores.poll import Poll
from stores.postgres.connect import connection
from stores.postgres.leader import Leadership
from stores.postgres.session import Session
from stores.statements import statement
from telemetry import metrics

logger = logging.getLogger(__name__)

RECENT = timedelta(days=7)
LABELLED = timedelta(days=REACH_DAYS)
"""How far back decisions with labels are read: labels that come later do not count."""
MAX_ROWS = 5_000
"""Newest decisions, and newest labels, that are read of all tenants under the house's plan."""
OWN_ROWS = 500
"""The same of each tenant with a plan of its own."""
MOST_OWNERS = 10
"""Tenants with a plan of their own that are measured, the first by name: each adds a value for each
feature to the metrics. `quorum drift --tenant` measures any."""

_LOCK = "quorum.drift"
"""The replica that holds it measures."""
_PAUSE_S = 0.02
_TENANTS = statement("decision_log/readers/sql/tenants.sql")


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one measurement of one owner's plan.

    Attributes:
        features, scores: name -> PSI, for those with enough rows.
        errors: model -> calibration error, for those with enough rows.
    """

    features: dict[str, float]
    scores: dict[str, float]
    errors: dict[str, float]


class DriftWatch:
    """Measures every `interval_s` seconds, if no other replica does.

    Args:
        url: PostgreSQL; a read replica will do.
        tenant: measured besides those that have keys.
        plans: returns the active plans: owner -> plan, {} if none has been loaded.
        origin: reads what the plan's models were trained on; may block.
        interval_s: > 0.
        timeout_s: longest wait for the result of a statement.
        variable: the setting that holds `url`.
    """

    def __init__(
        self,
        url: str,
        tenant: str,
        plans: Callable[[], Mapping[str, Plan]],
        origin: Callable[[Plan], Origin],
        interval_s: float,
        timeout_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        variable: str = "DATABASE_URL",
    ) -> None:
        self._url = url
        self._variable = variable
        self._tenant = tenant
        self._plans = plans
        self._origin = origin
        self._timeout_s = timeout_s
        self._now = now
        self._leadership = Leadership(url, _LOCK, timeout_s, variable)
        self._poll = Poll("drift", self.refresh, interval_s)
        self._failure = ""
        self._unmeasured: dict[str, str] = {}
        self._shown: set[tuple[Any, str, str]] = set()

    def start(self) -> None:
        """Measure from now on, until `close`."""
        self._poll.start_later()

    @property
    def alive(self) -> bool:
        """Whether it still measures."""
        return self._poll.alive

    async def close(self) -> None:
        """Stop measuring."""
        await self._poll.close()
        self._leadership.drop()

    async def refresh(self) -> dict[str, Measured] | None:
        """Measure once and set the gauges. Never raises: a failure is counted, and logged once.

        Returns:
            Owner -> what was measured; None if it failed, if another replica measures, or if there
            is no plan.
        """
        try:
            plans = self._plans()
            if not plans or not await self._leadership.held():
                return None
            measured = await self._measure(plans)
        except Exception as error:  # whatever it is, decisions go on
            self._leadership.drop()
            metrics.DRIFT_ERRORS.inc()
            failure = f"{type(error).__name__}: {error}"
            if failure != self._failure:
                logger.warning("drift is not measured: %s", failure)
            self._failure = failure
            return None
        self._failure = ""
        if not measured:
            return None
        self._show(measured)
        return measured

    async def _measure(self, plans: Mapping[str, Plan]) -> dict[str, Measured]:
        own = sorted(plans.keys() - {HOUSE})
        wanted = [owner for owner in (HOUSE, *own[:MOST_OWNERS]) if owner in plans]
        unmeasured = dict.fromkeys(own[MOST_OWNERS:], f"the first {MOST_OWNERS} tenants are")
        measured: dict[str, Measured] = {}
        async with connection(
            self._url,
            variable=self._variable,
            timeout_s=self._timeout_s,
            command_timeout_s=self._timeout_s,
            name=_LOCK,
            writes=False,
        ) as session:
            listed = [row[0] for row in await session.fetch(_TENANTS, self._tenant)]
            for owner in wanted:
                tenants = [owner] if owner else [t for t in listed if t not in plans]
                rows, plan = OWN_ROWS if owner else MAX_ROWS, plans[owner]
                try:
                    origin = await asyncio.to_thread(self._origin, plan)
                    measured[owner] = await self._measure_over(session, plan, origin, tenants, rows)
                except QuorumError as error:  # of this plan's models; the others are measured
                    unmeasured[owner] = f"{type(error).__name__}: {error}"
                    metrics.DRIFT_ERRORS.inc()
        self._complain(unmeasured)
        return measured

    async def _measure_over(
        self, session: Session, plan: Plan, origin: Origin, tenants: Sequence[str], rows: int
    ) -> Measured:
        features, scores = origin.distributions.features, origin.distributions.scores
        width = len(features.names)
        feature_counts = np.zeros_like(features.counts)
        score_counts = np.zeros_like(scores.counts)
        with_labels: list[ScoredDecisions] = []
        shown = shown_names(plan.deciding_variants)
        limit = -(-rows // max(len(tenants), 1))
        now = self._now()
        async with session.transaction(isolation="repeatable_read", readonly=True):
            for tenant in tenants:
                recent = newest(session, tenant, limit, now - RECENT)
                async for part in _decisions(recent, origin.schema_id, width):
                    feature_counts += features.count(part.values[part.has_features])
                    score_counts += part.of_plan(shown).score_counts(scores)
                known = labelled(session, tenant, limit, now - LABELLED)
                with_labels += [part async for part in _decisions(known, "", 0)]
        models = [ENSEMBLE, *(shown[name] for name in plan.voters)]
        decided = ScoredDecisions.concat(with_labels, 0).of_plan(shown)
        return Measured(
            _psi(features, feature_counts),
            _psi(scores, score_counts),
            _errors(decided, models, round(now.timestamp() * 1000)),
        )

    def _complain(self, unmeasured: dict[str, str]) -> None:
        """Log the plans that are not measured when that changes."""
        for owner, why in unmeasured.items():
            if self._unmeasured.get(owner) != why:
                logger.warning("drift of %s is not measured: %s", owner or "the house's plan", why)
        self._unmeasured = unmeasured

    def _show(self, measured: Mapping[str, Measured]) -> None:
        shown = set()
        for gauge, owner, values in _gauges(measured):
            for name, value in values.items():
                gauge.labels(name, owner).set(value)
                shown.add((gauge, name, owner))
        # A value that is not measured any more must not look like a current one.
        for gauge, name, owner in self._shown - shown:
            gauge.labels(name, owner).set(float("nan"))
        self._shown = shown
        metrics.DRIFT_AT.set(time.time())


def _gauges(measured: Mapping[str, Measured]) -> Iterable[tuple[Any, str, dict[str, float]]]:
    for owner, found in measured.items():
        yield metrics.FEATURE_PSI, owner, found.features
        yield metrics.SCORE_PSI, owner, found.scores
        yield metrics.CALIBRATION_ERROR, owner, found.errors


async def _decisions(
    parts: AsyncIterator[list[Any]], schema_id: str, width: int
) -> AsyncIterator[ScoredDecisions]:
    async for rows in parts:
        yield ScoredDecisions.of(rows, schema_id, width)
        await asyncio.sleep(_PAUSE_S)


def _psi(reference: ReferenceDistribution, counts: Int64) -> dict[str, float]:
    """Return the PSI of the columns with enough rows, by name."""
    psi, rows = reference.psi(counts), counts.sum(axis=1)
    return {name: float(psi[i]) for i, name in enumerate(reference.names) if rows[i] >= LEAST_ROWS}


def _errors(decisions: ScoredDecisions, models: list[str], now_ms: int) -> dict[str, float]:
    """Return the calibration error of the models with enough labelled decisions, by name."""
    old = matured(decisions.decided_ms, decisions.known_ms, now_ms)
    errors = {}
    for name in models:
        if name not in decisions.scores:
            continue
        scores: Float64 = decisions.scores[name][old]
        if np.count_nonzero(~np.isnan(scores)) >= LEAST_ROWS:
            errors[name] = calibration(scores, decisions.fraud[old]).error
    return errors
