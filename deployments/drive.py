"""The one loop that runs a plan: asks every variant at once and takes what comes in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import numpy as np

from deployments.breaker import Breaker
from fraud.batch import FeatureBatch, Float32, Float64
from fraud.decision import Vote
from fraud.errors import SchemaMismatch
from fraud.policy.policy import Ask, Policy
from fraud.score import VariantScores

logger = logging.getLogger(__name__)

Call = Callable[[Float32, str], Awaitable[VariantScores]]
"""`(values float32[m, n_features], schema_id) -> scores of m rows`."""


class Pools(Protocol):
    """Where variants are found."""

    def scorer(self, variant: str) -> Call | None:
        """How to ask a variant; None if there is no such pool. Answers at once."""
        ...


class Driver:
    """Runs policies over pools.

    Args:
        pools: where variants are found.
        clock_s: monotonic seconds.
    """

    def __init__(self, pools: Pools, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pools = pools
        self._clock_s = clock_s
        self._breakers: dict[str, Breaker] = {}

    async def drive(
        self, policy: Policy, features: FeatureBatch, deadline_ms: float
    ) -> tuple[Vote, ...]:
        """Ask everybody whom the policy names, in parallel, one call each.

        Nobody is waited for past the deadline: a call that is late is cancelled and its vote says
        so, and what a variant does wrong is its vote's business alone.

        Args:
            policy: who is asked about which rows.
            features: float32[n, n_features].
            deadline_ms: from now.

        Returns:
            A vote for each ask, in the policy's order. Of variants asked about some rows only,
            `scores` is NaN for the others.
        """
        asks = policy.ask(len(features))
        began_s = self._clock_s()
        calls = {a.variant: self._begin(a, features, began_s) for a in asks}
        running = [task for task in calls.values() if task is not None]
        if running:
            try:
                await asyncio.wait(running, timeout=deadline_ms / 1e3)
            finally:
                # Cancelled from above, or late: either way nobody reads what would still come.
                for task in running:
                    task.cancel()
        late_ms = (self._clock_s() - began_s) * 1e3
        return tuple(self._vote(a, calls[a.variant], len(features), late_ms) for a in asks)

    def _begin(
        self, ask: Ask, features: FeatureBatch, now_s: float
    ) -> asyncio.Task[tuple[VariantScores, float]] | None:
        call = self._pools.scorer(ask.variant)
        if call is None:
            self._breakers.pop(ask.variant, None)
            return None
        if not self._breakers.setdefault(ask.variant, Breaker()).allows(now_s):
            return None
        values = features.values if ask.rows is None else features.values[ask.rows]
        return asyncio.ensure_future(self._timed(call, values, features.schema_id, now_s))

    async def _timed(
        self, call: Call, values: Float32, schema_id: str, began_s: float
    ) -> tuple[VariantScores, float]:
        answer = await call(values, schema_id)
        if answer.scores.shape != (len(values),):
            raise ValueError(f"{len(values)} rows were asked about, {answer.scores.shape} came")
        return answer, (self._clock_s() - began_s) * 1e3

    def _vote(
        self,
        ask: Ask,
        task: asyncio.Task[tuple[VariantScores, float]] | None,
        n: int,
        late_ms: float,
    ) -> Vote:
        breaker = self._breakers.get(ask.variant)
        if breaker is None:
            return Vote(ask.variant, "", "missing", None, 0.0)
        if task is None:
            return Vote(ask.variant, "", breaker.why, None, 0.0)
        if not task.done() or task.cancelled():
            breaker.failed(self._clock_s(), "late")
            return Vote(ask.variant, "", "late", None, late_ms)
        error = task.exception()
        if error is not None:
            breaker.failed(self._clock_s(), "failed")
            _report(ask.variant, error)
            return Vote(ask.variant, "", "failed", None, late_ms)
        breaker.succeeded()
        answer, elapsed_ms = task.result()
        scores = answer.scores if ask.rows is None else _scatter(answer.scores, ask.rows, n)
        return Vote(ask.variant, answer.version, "ok", scores, elapsed_ms, answer.digest)


def _scatter(
    scores: Float64, rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]], n: int
) -> Float64:
    whole = np.full(n, np.nan)
    whole[rows] = scores
    return whole


def _report(variant: str, error: BaseException) -> None:
    # The message of a foreign error may hold anything, so only those of the house are shown.
    detail = str(error) if isinstance(error, SchemaMismatch) else type(error).__name__
    logger.warning("variant %s failed: %s", variant, detail)
