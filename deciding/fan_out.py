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
from fraud.policy.interface import Policy, VariantCall
from fraud.score import VariantScores

logger = logging.getLogger(__name__)

Score = Callable[[Float32, str], Awaitable[VariantScores]]
"""`(values float32[m, n_features], schema_id) -> scores of m rows`."""
_Answer = asyncio.Future[VariantScores]


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
        """Ask every variant that the policy names, with one call each.

        A call that passes the deadline is cancelled, and its vote is `late`. A variant that fails
        affects its own vote only.

        Args:
            policy: which variants are asked about which rows.
            features: float32[n, n_features].
            deadline_ms: from now.

        Returns:
            A vote for each call, in the policy's order. `scores` is NaN for rows that a variant was
            not asked about.
        """
        calls = policy.calls(len(features))
        start_s = self._clock_s()
        answers = [self._start(call, features, start_s) for call in calls]
        answered_s = await self._wait([a for a in answers if a is not None], deadline_ms / 1e3)
        end_s = self._clock_s()
        votes = []
        for call, answer in zip(calls, answers, strict=True):
            elapsed_ms = (answered_s.get(answer, end_s) - start_s) * 1e3
            votes.append(self._vote(call, answer, len(features), elapsed_ms))
        return tuple(votes)

    def _start(self, call: VariantCall, features: FeatureBatch, now_s: float) -> _Answer | None:
        score = self._pools.scorer(call.variant)
        if score is None:
            self._breakers.pop(call.variant, None)
            return None
        if not self._breakers.setdefault(call.variant, CircuitBreaker()).allow(now_s):
            return None
        values = features.values if call.rows is None else features.values[call.rows]
        # A link returns a future already: no task is made for it.
        return asyncio.ensure_future(score(values, features.schema_id))

    async def _wait(self, answers: list[_Answer], timeout_s: float) -> dict[_Answer | None, float]:
        """Wait for all answers or the timeout, and cancel the rest. Return when each arrived."""
        answered_s: dict[_Answer | None, float] = {}
        if not answers:
            return answered_s
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def note(answer: _Answer) -> None:
            answered_s[answer] = self._clock_s()
            if len(answered_s) == len(answers):
                _resolve(over)

        for answer in answers:
            answer.add_done_callback(note)
        timer = loop.call_later(timeout_s, _resolve, over)
        try:
            await over
        finally:
            timer.cancel()
            # They are late, or this task was cancelled: nobody would read them.
            for answer in answers:
                answer.cancel()
        return answered_s

    def _vote(self, call: VariantCall, answer: _Answer | None, n: int, elapsed_ms: float) -> Vote:
        name = call.variant
        breaker = self._breakers.get(name)
        if breaker is None:
            return Vote(name, "", "missing", None, 0.0)
        if answer is None:
            return Vote(name, "", breaker.last_failure, None, 0.0)
        if not answer.done() or answer.cancelled():
            breaker.record_failure(self._clock_s(), "late")
            return Vote(name, "", "late", None, elapsed_ms)
        try:
            found = answer.result()
            _check(found, n if call.rows is None else len(call.rows))
        except Exception as error:  # any failure: the other variants decide
            breaker.record_failure(self._clock_s(), "failed")
            _report(name, error)
            return Vote(name, "", "failed", None, elapsed_ms)
        breaker.record_success()
        scores = found.scores if call.rows is None else _scatter(found.scores, call.rows, n)
        return Vote(name, found.version, "ok", scores, elapsed_ms, found.digest)


def _resolve(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def _check(found: VariantScores, rows: int) -> None:
    if found.scores.shape != (rows,):
        raise ValueError(f"expected scores of {rows} rows, got shape {found.scores.shape}")


def _scatter(
    scores: Float64, rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]], n: int
) -> Float64:
    whole = np.full(n, np.nan)
    whole[rows] = scores
    return whole


def _report(variant: str, error: BaseException) -> None:
    # The message of any other error may contain anything, so only its type is logged.
    detail = str(error) if isinstance(error, SchemaMismatch) else type(error).__name__
    logger.warning("variant %s failed: %s", variant, detail)
