"""Fetches the features of micro-batches, and goes on without history if they are late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from deciding.circuit_breaker import CircuitBreaker
from features.assemble import without_history
from fraud.payment.batch import FeatureBatch, TransactionBatch

logger = logging.getLogger(__name__)

_MOST_UNREPORTED = 25_000
"""Most rows kept to be reported. Later ones never reach window state."""


class FeatureClient:
    """Fetches the features of micro-batches; never raises.

    Payments that were decided without features are reported to the feature store as soon as it
    answers again, so that window state does not miss them.

    Args:
        ask: returns the features of a micro-batch; the flag is `patient` of `Decider.decide`.
        missed: reports a micro-batch that was decided without features, and how many seconds ago.
        timeout_ms: longest wait for features.
    """

    def __init__(
        self,
        ask: Callable[[TransactionBatch, bool], Awaitable[FeatureBatch]],
        missed: Callable[[TransactionBatch, float], Awaitable[None]],
        timeout_ms: float,
    ) -> None:
        self._ask = ask
        self._missed = missed
        self._timeout_s = timeout_ms / 1e3
        self._breaker = CircuitBreaker()
        self._unreported: deque[tuple[TransactionBatch, float]] = deque()
        self._unreported_rows = 0
        self._reporting: asyncio.Task[None] | None = None

    async def __call__(self, batch: TransactionBatch, patient: bool) -> FeatureBatch:
        """Return the features of n transactions, fewer if some are `FeatureBatch.pending`. If the
        store does not answer in time, they are computed from the requests alone."""
        if not self._breaker.allow(time.monotonic()):
            return self._without(batch)
        try:
            async with asyncio.timeout(self._timeout_s):
                features = await self._ask(batch, patient)
            rows = len(features) + len(features.pending)
            if rows != len(batch):
                raise ValueError(f"expected features of {len(batch)} rows, got {rows}")
        except Exception as error:  # any failure: the payment gets its decision
            self._breaker.record_failure(time.monotonic(), "failed")
            logger.warning("no features for %d rows: %s", len(batch), type(error).__name__)
            return self._without(batch)
        self._breaker.record_success()
        if self._unreported and self._reporting is None:
            self._reporting = asyncio.create_task(self._report(), name="missed-payments")
        return features

    def _without(self, batch: TransactionBatch) -> FeatureBatch:
        if self._unreported_rows < _MOST_UNREPORTED:
            self._unreported.append((batch, time.monotonic()))
            self._unreported_rows += len(batch)
        return without_history(batch)

    async def _report(self) -> None:
        try:
            while self._unreported:
                batch, at_s = self._unreported[0]
                await self._missed(batch, time.monotonic() - at_s)
                self._unreported.popleft()
                self._unreported_rows -= len(batch)
        except Exception as error:  # any failure: the next answer starts another attempt
            self._unreported.rotate(-1)  # one batch that cannot be reported does not block others
            logger.warning(
                "%d rows are not reported yet: %s", self._unreported_rows, type(error).__name__
            )
        finally:
            self._reporting = None
