"""Fan-out: asks the variants of a policy in parallel, and takes the answers that arrive in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import numpy as np

from deciding.circuit_breaker import CircuitBreaker
from fraud.decision import Vote
from fraud.errors import SchemaMismatch
from fraud.payment.batch import FeatureBatch, Float32, Float64
from fraud.policy.interface import Ask, Policy
from fraud.score import VariantScores

logger = logging.getLogger(__name__)

Score = Callable[[Float32, str], Awaitable[VariantScores]]
"""`(values float32[m, n_features], schema_id) -> scores of m rows`."""
_Call = asyncio.Future[VariantScores]


class Pools(Protocol):
    """The pools of variants."""

    def scorer(self, variant: str) -> Score | None:
        """Return the call that asks a variant, None if it has no pool. Does not block."""
        ...


class FanOut:
    """Asks the variants of a policy in parallel.

    Args:
        pools: the pools of variants.
        clock_s: monotonic seconds.
    """

    def __init__(self, pools: Pools, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pools = pools
        self._clock_s = clock_s
        self._breakers: dict[str, CircuitBreaker] = {}

    async def ask(
        self, policy: Policy, features: FeatureBatch, deadline_ms: float
    ) -> tuple[Vote, ...]:
        """Ask every variant that the policy names, one call each.

        A call that passes the deadline is cancelled, and its vote is `late`. A variant that fails
        affects its own vote only.

        Args:
            policy: which variants are asked about which rows.
            features: float32[n, n_features].
            deadline_ms: from now.

        Returns:
            A vote for each ask, in the policy's order. For rows that a variant was not asked about,
            its `scores` is NaN.
        """
        asks = policy.ask(len(features))
        start_s = self._clock_s()
        calls = [self._call(ask, features, start_s) for ask in asks]
        answered_s = await self._wait([c for c in calls if c is not None], deadline_ms / 1e3)
        end_s = self._clock_s()
        votes = []
        for ask, call in zip(asks, calls, strict=True):
            elapsed_ms = (answered_s.get(call, end_s) - start_s) * 1e3
            votes.append(self._vote(ask, call, len(features), elapsed_ms))
        return tuple(votes)

    def _call(self, ask: Ask, features: FeatureBatch, now_s: float) -> _Call | None:
        score = self._pools.scorer(ask.variant)
        if score is None:
            self._breakers.pop(ask.variant, None)
            return None
        if not self._breakers.setdefault(ask.variant, CircuitBreaker()).allow(now_s):
            return None
        values = features.values if ask.rows is None else features.values[ask.rows]
        # A link returns a future already: no task is made for it.
        return asyncio.ensure_future(score(values, features.schema_id))

    async def _wait(self, calls: list[_Call], timeout_s: float) -> dict[_Call | None, float]:
        """Wait for all calls, or the timeout. Returns when each was answered; cancels the rest."""
        answered_s: dict[_Call | None, float] = {}
        if not calls:
            return answered_s
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def note(call: _Call) -> None:
            answered_s[call] = self._clock_s()
            if len(answered_s) == len(calls):
                _resolve(over)

        for call in calls:
            call.add_done_callback(note)
        timer = loop.call_later(timeout_s, _resolve, over)
        try:
            await over
        finally:
            timer.cancel()
            # Late, or this task was cancelled: nobody reads what would still arrive.
            for call in calls:
                call.cancel()
        return answered_s

    def _vote(self, ask: Ask, call: _Call | None, n: int, elapsed_ms: float) -> Vote:
        breaker = self._breakers.get(ask.variant)
        if breaker is None:
            return Vote(ask.variant, "", "missing", None, 0.0)
        if call is None:
            return Vote(ask.variant, "", breaker.last_failure, None, 0.0)
        if not call.done() or call.cancelled():
            breaker.record_failure(self._clock_s(), "late")
            return Vote(ask.variant, "", "late", None, elapsed_ms)
        try:
            answer = call.result()
            _check(answer, n if ask.rows is None else len(ask.rows))
        except Exception as error:  # any failure: the other variants decide
            breaker.record_failure(self._clock_s(), "failed")
            _report(ask.variant, error)
            return Vote(ask.variant, "", "failed", None, elapsed_ms)
        breaker.record_success()
        scores = answer.scores if ask.rows is None else _scatter(answer.scores, ask.rows, n)
        return Vote(ask.variant, answer.version, "ok", scores, elapsed_ms, answer.digest)


def _resolve(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def _check(answer: VariantScores, rows: int) -> None:
    if answer.scores.shape != (rows,):
        raise ValueError(f"expected scores of {rows} rows, got shape {answer.scores.shape}")


def _scatter(
    scores: Float64, rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]], n: int
) -> Float64:
    whole = np.full(n, np.nan)
    whole[rows] = scores
    return whole


def _report(variant: str, error: BaseException) -> None:
    # The message of a foreign error may hold anything, so only our own are shown.
    detail = str(error) if isinstance(error, SchemaMismatch) else type(error).__name__
    logger.warning("variant %s failed: %s", variant, detail)
