"""Drift of what is served, as gauges: measured on decisions on record, by one replica at a time.

Decisions do not wait for it and are not touched by it: it reads what the decision log has shipped,
part by part, and lets go of the event loop between parts. Knows no Ray.
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

from decision_log.readers.observed import ENSEMBLE, Decided, joined, labelled, newest
from features.state.labels import REACH_DAYS
from fraud.payment.batch import Float64, Int64
from fraud.plan import Plan
from models.drift import LEAST_ROWS, ReferenceDistribution, calibration, matured
from models.store.origin import Origin
from stores.postgres.connect import connect
from stores.postgres.lock import Lock
from stores.postgres.session import Session
from stores.statements import statement
from telemetry import metrics

logger = logging.getLogger(__name__)

RECENT = timedelta(days=7)
LABELLED = timedelta(days=REACH_DAYS)
"""How far back decisions are looked for that have labels by now: later labels do not count."""
MAX_ROWS = 5_000
"""Newest decisions, and newest labels, of all tenants together."""

_LOCK = "quorum.drift"
"""Whoever holds it measures."""
_PAUSE_S = 0.02
_TENANTS = statement("deployments/tenants.sql")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found.

    Attributes:
        features, scores: name -> PSI, of those with enough rows.
        errors: model -> calibration error, likewise.
    """

    features: dict[str, float]
    scores: dict[str, float]
    errors: dict[str, float]


class DriftWatch:
    """Measures every `interval_s` seconds, if no other replica does.

    Args:
        url: PostgreSQL; a replica will do.
        tenant: measured besides those that have keys.
        plan: the active one now, None if none has been loaded.
        origin: reads what the plan's models were trained on; may block.
        interval_s: > 0.
        timeout_s: longest wait for one answer of PostgreSQL.
        variable: the setting that `url` comes from.
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
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._now = now
        self._lock: Lock | None = None
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""
        self._shown: set[tuple[Any, str]] = set()

    def start(self) -> None:
        """Measure from now on. Nothing that fails ends it."""
        self._task = asyncio.create_task(self._run(), name="drift")

    @property
    def alive(self) -> bool:
        """Whether it goes on measuring."""
        return self._task is not None and not self._task.done()

    async def close(self) -> None:
        """Stop measuring."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._drop()

    async def refresh(self) -> Measured | None:
        """Measure once and show it; None if another replica does, or there is no plan. Never
        raises: what fails is counted and logged once."""
        try:
            plan = self._plan()
            if plan is None or not await self._leads():
                return None
            measured = await self._measure(plan)
        except Exception as error:  # whatever it is, decisions go on
            self._drop()
            metrics.DRIFT_ERRORS.inc()
            said = f"{type(error).__name__}: {error}"
            if said != self._complaint:
                logger.warning("drift is not measured: %s", said)
            self._complaint = said
            return None
        self._complaint = ""
        self._show(measured)
        return measured

    async def _leads(self) -> bool:
        """Whether this replica is the one that measures: it keeps the lock."""
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
        session = await connect(
            self._url,
            variable=self._variable,
            timeout_s=self._timeout_s,
            command_timeout_s=self._timeout_s,
            name=_LOCK,
            writes=False,
        )
        try:
            return await self._measure_over(session, plan, origin)
        finally:
            session.terminate()

    async def _measure_over(self, session: Session, plan: Plan, origin: Origin) -> Measured:
        features, scores = origin.distributions.features, origin.distributions.scores
        width = len(features.names)
        of_features, of_scores = np.zeros_like(features.counts), np.zeros_like(scores.counts)
        known: list[Decided] = []
        tenants = [row[0] for row in await session.fetch(_TENANTS, self._tenant)]
        limit = -(-MAX_ROWS // len(tenants))
        since = self._now() - RECENT
        async with session.transaction(isolation="repeatable_read", readonly=True):
            for tenant in tenants:
                recent = newest(session, tenant, limit, since)
                async for part in _decided(recent, origin.schema_id, width):
                    of_features += features.count(part.values[part.seen])
                    of_scores += part.score_counts(scores)
                labelled_since = self._now() - LABELLED
                of_labels = labelled(session, tenant, limit, labelled_since)
                known += [part async for part in _decided(of_labels, "", 0)]
        models = [ENSEMBLE, *(member.variant for member in plan.members)]
        return Measured(
            _enough(features, of_features),
            _enough(scores, of_scores),
            _errors(joined(known, 0), models, round(self._now().timestamp() * 1000)),
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
        # What can no longer be said must not stand there as if it could.
        for gauge, name in self._shown - shown:
            gauge.labels(name).set(float("nan"))
        self._shown = shown
        metrics.DRIFT_AT.set(time.time())

    def _drop(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.drop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self.refresh()


async def _decided(
    parts: AsyncIterator[list[Any]], schema_id: str, width: int
) -> AsyncIterator[Decided]:
    async for rows in parts:
        yield Decided.of(rows, schema_id, width)
        await asyncio.sleep(_PAUSE_S)


def _enough(reference: ReferenceDistribution, counts: Int64) -> dict[str, float]:
    """PSI of the columns with enough rows, by name."""
    psi, rows = reference.psi(counts), counts.sum(axis=1)
    return {name: float(psi[i]) for i, name in enumerate(reference.names) if rows[i] >= LEAST_ROWS}


def _errors(decided: Decided, models: list[str], now_ms: int) -> dict[str, float]:
    """Calibration error of the models with enough labelled decisions, by name."""
    old = matured(decided.decided_ms, decided.known_ms, now_ms)
    found = {}
    for name in models:
        if name not in decided.scores:
            continue
        said: Float64 = decided.scores[name][old]
        if np.count_nonzero(~np.isnan(said)) >= LEAST_ROWS:
            found[name] = calibration(said, decided.fraud[old]).error
    return found
