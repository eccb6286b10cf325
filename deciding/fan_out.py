"""Fan-out: asks variants in parallel, and takes the answers that arrive in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from deciding.circuit_breaker import CircuitBreaker
from fraud.asking import Asking, Run, VariantCall
from fraud.decision import Vote
from fraud.errors import SchemaMismatch
from fraud.payment.batch import FeatureBatch, Float32
from fraud.score import VariantScores

logger = logging.getLogger(__name__)
T = TypeVar("T")

Score = Callable[[Float32, str], Awaitable[VariantScores]]
"""`(values float32[m, n_features], schema_id) -> scores of m rows`."""
_Answer = asyncio.Future[VariantScores]


class Pools(Protocol):
    """The pools of variants."""

    def scorer(self, variant: str) -> Score | None:
        """Return the call that asks a variant, None if it has no pool. Does not block."""
        ...


class FanOut:
    """Asks variants in parallel.

    Args:
        pools: the pools of variants.
        clock_s: monotonic seconds.
    """

    def __init__(self, pools: Pools, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pools = pools
        self._clock_s = clock_s
        self._breakers: dict[str, CircuitBreaker] = {}

    async def run(self, run: Run[T], asking: Asking, features: FeatureBatch) -> T:
        """Ask what a policy asks, stage by stage, and return what it returns.

        Args:
            run: the policy's run over `asking`, which receives the votes.
            features: float32[n, n_features] of the same rows.
        """
        try:
            while True:
                calls = next(run)
                asking.votes.add(calls, await self.ask(calls, features))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def ask(self, calls: Sequence[VariantCall], features: FeatureBatch) -> list[Vote]:
        """Make some calls at once.

        A call that passes its deadline is cancelled, and its vote is `late`. A variant that fails
        affects its own vote only.

        Returns:
            A vote for each call, in order. `scores` are those of the rows of the call.
        """
        start_s = self._clock_s()
        answers = [self._start(call, features, start_s) for call in calls]
        asked = [(a, c.deadline_ms) for a, c in zip(answers, calls, strict=True) if a is not None]
        answered_s = await self._wait(asked)
        end_s = self._clock_s()
        votes = []
        for call, answer in zip(calls, answers, strict=True):
            elapsed_ms = (answered_s.get(answer, end_s) - start_s) * 1e3
            votes.append(self._vote(call, answer, len(features), elapsed_ms))
        return votes

    def _start(self, call: VariantCall, features: FeatureBatch, now_s: float) -> _Answer | None:
        score = self._pools.scorer(call.variant)
        if score is None:
            self._breakers.pop(call.variant, None)
            return None
        if not self._breakers.setdefault(call.variant, CircuitBreaker()).allow(now_s):
            return None
        rows, values = call.rows, features.values
        if rows is not None and len(rows) < len(values):
            values = values[rows]
        # A link returns a future already: no task is made for it.
        return asyncio.ensure_future(score(values, features.schema_id))

    async def _wait(self, asked: list[tuple[_Answer, float]]) -> dict[_Answer | None, float]:
        """Wait for each answer until its deadline, and cancel the late ones. Return when each
        arrived."""
        answered_s: dict[_Answer | None, float] = {}
        if not asked:
            return answered_s
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        waiting = {answer for answer, _ in asked}

        def note(answer: _Answer) -> None:
            if answer in waiting:
                answered_s[answer] = self._clock_s()
                leave([answer])

        def leave(answers: Iterable[_Answer]) -> None:
            waiting.difference_update(answers)
            if not waiting and not over.done():
                over.set_result(None)

        def expire(answers: list[_Answer]) -> None:
            # Cancelled now: a late answer must not count because another variant is slower still.
            for answer in answers:
                answer.cancel()
            leave(answers)

        for answer, _ in asked:
            answer.add_done_callback(note)
        timers = [
            loop.call_later(ms / 1e3, expire, [a for a, own_ms in asked if own_ms == ms])
            for ms in {ms for _, ms in asked}
        ]
        try:
            await over
        finally:
            for timer in timers:
                timer.cancel()
            # They are late, or this task was cancelled: nobody would read them.
            for answer, _ in asked:
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
        return Vote(name, found.version, "ok", found.scores, elapsed_ms, found.digest)


def _check(found: VariantScores, rows: int) -> None:
    if found.scores.shape != (rows,):
        raise ValueError(f"expected scores of {rows} rows, got shape {found.scores.shape}")


def _report(variant: str, error: BaseException) -> None:
    # The message of any other error may contain anything, so only its type is logged.
    detail = str(error) if isinstance(error, SchemaMismatch) else type(error).__name__
    logger.warning("variant %s failed: %s", variant, detail)
