"""Asks for features, and does without them in time. Knows no Ray."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from deciding.breaker import Breaker
from features.assemble import without_history
from fraud.payment.batch import FeatureBatch, TransactionBatch

logger = logging.getLogger(__name__)

_MOST_UNSEEN = 25_000
"""Rows that wait to be told; what comes after them stays missing from states that live on."""


class Fetch:
    """Features of micro-batches; never raises.

    What was decided without asking is told to whoever keeps window state as soon as that answers
    again: states that miss these payments must not be taken for whole.

    Args:
        ask: features of a micro-batch, and whether it is patient: see `Decider.decide`.
        missed: tells of a micro-batch that was decided without features, and how many seconds ago.
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
        self._breaker = Breaker()
        self._unseen: deque[tuple[TransactionBatch, float]] = deque()
        self._unseen_rows = 0
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, batch: TransactionBatch, patient: bool) -> FeatureBatch:
        """Features of n transactions, fewer if some are `FeatureBatch.pending`; of what the
        requests say alone if nothing else comes in time."""
        if not self._breaker.allows(time.monotonic()):
            return self._without(batch)
        try:
            async with asyncio.timeout(self._timeout_s):
                features = await self._ask(batch, patient)
            came = len(features) + len(features.pending)
            if came != len(batch):
                raise ValueError(f"{len(batch)} rows were asked about, {came} came")
        except Exception as error:  # whatever it is, the payment gets its decision
            self._breaker.failed(time.monotonic(), "failed")
            logger.warning("no features for %d rows: %s", len(batch), type(error).__name__)
            return self._without(batch)
        self._breaker.succeeded()
        if self._unseen and self._telling is None:
            self._telling = asyncio.create_task(self._tell(), name="missed-payments")
        return features

    def _without(self, batch: TransactionBatch) -> FeatureBatch:
        if self._unseen_rows < _MOST_UNSEEN:
            self._unseen.append((batch, time.monotonic()))
            self._unseen_rows += len(batch)
        return without_history(batch)

    async def _tell(self) -> None:
        try:
            while self._unseen:
                batch, at_s = self._unseen[0]
                await self._missed(batch, time.monotonic() - at_s)
                self._unseen.popleft()
                self._unseen_rows -= len(batch)
        except Exception as error:  # whatever it is, the next answer brings another try
            self._unseen.rotate(-1)  # and a batch that cannot be told keeps no other waiting
            logger.warning("%d rows are still unseen: %s", self._unseen_rows, type(error).__name__)
        finally:
            self._telling = None
