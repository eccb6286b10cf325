"""The one loop that runs a plan: asks every variant at once and takes what comes in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import numpy as np

from deciding.breaker import Breaker
from fraud.decision import Vote
from fraud.errors import SchemaMismatch
from fraud.payment.batch import FeatureBatch, Float32, Float64
from fraud.policy.interface import Ask, Policy
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
        calls = [self._begin(ask, features, began_s) for ask in asks]
        heard_s = await self._wait([call for call in calls if call is not None], deadline_ms / 1e3)
        over_s = self._clock_s()
        votes = []
        for ask, call in zip(asks, calls, strict=True):
            elapsed_ms = (heard_s.get(call, over_s) - began_s) * 1e3
            votes.append(self._vote(ask, call, len(features), elapsed_ms))
        return tuple(votes)

    def _begin(
        self, ask: Ask, features: FeatureBatch, now_s: float
    ) -> asyncio.Future[VariantScores] | None:
        call = self._pools.scorer(ask.variant)
        if call is None:
            self._breakers.pop(ask.variant, None)
            return None
        if not self._breakers.setdefault(ask.variant, Breaker()).allows(now_s):
            return None
        values = features.values if ask.rows is None else features.values[ask.rows]
        # What a link gives is a future already: no task is made for it.
        return asyncio.ensure_future(call(values, features.schema_id))

    async def _wait(
        self, calls: list[asyncio.Future[VariantScores]], patience_s: float
    ) -> dict[asyncio.Future[VariantScores] | None, float]:
        """When each was answered. Returns when all are, or patience ends; nothing goes on then."""
        heard_s: dict[asyncio.Future[VariantScores] | None, float] = {}
        if not calls:
            return heard_s
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def heard(call: asyncio.Future[VariantScores]) -> None:
            heard_s[call] = self._clock_s()
            if len(heard_s) == len(calls):
                _end(over)

        for call in calls:
            call.add_done_callback(heard)
        timer = loop.call_later(patience_s, _end, over)
        try:
            await over
        finally:
            timer.cancel()
            # Cancelled from above, or late: either way nobody reads what would still come.
            for call in calls:
                call.cancel()
        return heard_s

    def _vote(
        self, ask: Ask, call: asyncio.Future[VariantScores] | None, n: int, elapsed_ms: float
    ) -> Vote:
        breaker = self._breakers.get(ask.variant)
        if breaker is None:
            return Vote(ask.variant, "", "missing", None, 0.0)
        if call is None:
            return Vote(ask.variant, "", breaker.why, None, 0.0)
        if not call.done() or call.cancelled():
            breaker.failed(self._clock_s(), "late")
            return Vote(ask.variant, "", "late", None, elapsed_ms)
        try:
            answer = call.result()
            _check(answer, n if ask.rows is None else len(ask.rows))
        except Exception as error:  # whatever it is, the others decide
            breaker.failed(self._clock_s(), "failed")
            _report(ask.variant, error)
            return Vote(ask.variant, "", "failed", None, elapsed_ms)
        breaker.succeeded()
        scores = answer.scores if ask.rows is None else _scatter(answer.scores, ask.rows, n)
        return Vote(ask.variant, answer.version, "ok", scores, elapsed_ms, answer.digest)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def _check(answer: VariantScores, rows: int) -> None:
    if answer.scores.shape != (rows,):
        raise ValueError(f"{rows} rows were asked about, {answer.scores.shape} came")


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
