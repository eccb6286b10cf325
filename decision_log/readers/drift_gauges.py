"""Drift as gauges: measured on decisions on record, by one replica at a time.

Decisions do not wait for it: it reads what the decision log has shipped, in parts, and yields to
the event loop between parts. Independent of Ray.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from decision_log.readers.scored_decisions import ENSEMBLE, ScoredDecisions, labelled, newest
from features.state.labels import REACH_DAYS
from fraud.payment.batch import Float64, Int64
from fraud.plan import Plan
from models.drift import LEAST_ROWS, ReferenceDistribution, calibration, matured
from models.store.origin import Origin
from stores.poll import Poll
from stores.postgres.connect import connection
from stores.postgres.lock import Lock
from stores.postgres.session import Session
from stores.statements import statement
from telemetry import metrics

logger = logging.getLogger(__name__)

RECENT = timedelta(days=7)
LABELLED = timedelta(days=REACH_DAYS)
"""How far back decisions with labels are read: labels that come later do not count."""
MAX_ROWS = 5_000
"""Newest decisions, and newest labels, that are read of all tenants together."""

_LOCK = "quorum.drift"
"""The replica that holds it measures."""
_PAUSE_S = 0.02
_TENANTS = statement("decision_log/readers/sql/tenants.sql")


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one measurement.

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
        plan: returns the active plan, None if none has been loaded.
        origin: reads what the plan's models were trained on; may block.
        interval_s: > 0.
        timeout_s: longest wait for the result of a statement.
        variable: the setting that holds `url`.
    """

    def __init__(
        self,
        url: str,
        tenant: str,
        plan: Callable[[], Plan | None],
        origin: Callable[[Plan], Origin],
        interval_s: float,
        timeout_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        variable: str = "DATABASE_URL",
    ) -> None:
        self._url = url
        self._variable = variable
        self._tenant = tenant
        self._plan = plan
        self._origin = origin
        self._timeout_s = timeout_s
        self._now = now
        self._lock: Lock | None = None
        self._poll = Poll("drift", self.refresh, interval_s)
        self._failure = ""
        self._shown: set[tuple[Any, str]] = set()

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
        self._drop()

    async def refresh(self) -> Measured | None:
        """Measure once and set the gauges. Never raises: a failure is counted, and logged once.

        Returns:
            None if it failed, if another replica measures, or if there is no plan.
        """
        try:
            plan = self._plan()
            if plan is None or not await self._leads():
                return None
            measured = await self._measure(plan)
        except Exception as error:  # whatever it is, decisions go on
            self._drop()
            metrics.DRIFT_ERRORS.inc()
            failure = f"{type(error).__name__}: {error}"
            if failure != self._failure:
                logger.warning("drift is not measured: %s", failure)
            self._failure = failure
            return None
        self._failure = ""
        self._show(measured)
        return measured

    async def _leads(self) -> bool:
        """Return whether this replica is the one that measures: it keeps the lock."""
        if self._lock is not None and self._lock.alive:
            return True
        lock = await Lock.on(
            self._url, variable=self._variable, timeout_s=self._timeout_s, name=_LOCK
        )
        try:
            if await lock.take(_LOCK):
                self._lock = lock
                return True
        finally:
            if self._lock is not lock:
                lock.drop()
        return False

    async def _measure(self, plan: Plan) -> Measured:
        origin = await asyncio.to_thread(self._origin, plan)
        async with connection(
            self._url,
            variable=self._variable,
            timeout_s=self._timeout_s,
            command_timeout_s=self._timeout_s,
            name=_LOCK,
            writes=False,
        ) as session:
            return await self._measure_over(session, plan, origin)

    async def _measure_over(self, session: Session, plan: Plan, origin: Origin) -> Measured:
        features, scores = origin.distributions.features, origin.distributions.scores
        width = len(features.names)
        feature_counts = np.zeros_like(features.counts)
        score_counts = np.zeros_like(scores.counts)
        with_labels: list[ScoredDecisions] = []
        tenants = [row[0] for row in await session.fetch(_TENANTS, self._tenant)]
        limit = -(-MAX_ROWS // len(tenants))
        now = self._now()
        async with session.transaction(isolation="repeatable_read", readonly=True):
            for tenant in tenants:
                recent = newest(session, tenant, limit, now - RECENT)
                async for part in _decisions(recent, origin.schema_id, width):
                    feature_counts += features.count(part.values[part.has_features])
                    score_counts += part.score_counts(scores)
                known = labelled(session, tenant, limit, now - LABELLED)
                with_labels += [part async for part in _decisions(known, "", 0)]
        models = [ENSEMBLE, *plan.voters]
        return Measured(
            _psi(features, feature_counts),
            _psi(scores, score_counts),
            _errors(ScoredDecisions.concat(with_labels, 0), models, round(now.timestamp() * 1000)),
        )

    def _show(self, measured: Measured) -> None:
        shown = set()
        for gauge, values in (
            (metrics.FEATURE_PSI, measured.features),
            (metrics.SCORE_PSI, measured.scores),
            (metrics.CALIBRATION_ERROR, measured.errors),
        ):
            for name, value in values.items():
                gauge.labels(name).set(value)
                shown.add((gauge, name))
        # A value that is not measured any more must not look like a current one.
        for gauge, name in self._shown - shown:
            gauge.labels(name).set(float("nan"))
        self._shown = shown
        metrics.DRIFT_AT.set(time.time())

    def _drop(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.drop()


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
