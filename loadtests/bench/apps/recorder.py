"""Records decisions: a background task inserts rows into PostgreSQL in batches.

Rows that wait when the process dies are lost. Such apps are commonly written this way. Quorum
answers once a decision is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from fraud.decision import OUTCOMES, DecisionBatch
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.currency import hundredths
from stores.statements import statement

MAX_ROWS = 500
GATHER_S = 0.05
_MAX_QUEUED = 20_000
_RETRY_S = 0.5
_INSERT = statement("loadtests/bench/apps/record.sql")
_OUTCOMES = [outcome.value for outcome in OUTCOMES]
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class _Row(NamedTuple):
    """A row of a decided micro-batch."""

    batch: TransactionBatch
    features: FeatureBatch
    decided: DecisionBatch
    i: int


class Recorder:
    """Inserts decisions.

    Args:
        pool: asyncpg pool.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._waiting: asyncio.Queue[_Row] = asyncio.Queue(_MAX_QUEUED)
        self._task = asyncio.create_task(self._run())

    async def put(
        self, batch: TransactionBatch, features: FeatureBatch, decided: DecisionBatch
    ) -> None:
        """Queue decisions. Waits only while the queue is full."""
        for i in range(len(batch)):
            await self._waiting.put(_Row(batch, features, decided, i))

    async def close(self) -> None:
        """Insert the queued rows and stop."""
        await self._waiting.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            made = [await self._waiting.get()]
            # No client waits for this, and a statement for many rows costs little more.
            await asyncio.sleep(GATHER_S)
            while len(made) < MAX_ROWS and not self._waiting.empty():
                made.append(self._waiting.get_nowait())
            await self._insert([list(column) for column in zip(*_rows(made), strict=True)])
            for _ in made:
                self._waiting.task_done()

    async def _insert(self, columns: list[list[Any]]) -> None:
        while True:
            try:
                await self._pool.execute(_INSERT, *columns)
                return
            except OSError as error:
                _log.warning("PostgreSQL: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_S)


def _rows(made: list[_Row]) -> Iterator[tuple[Any, ...]]:
    for batch, features, decided, i in made:
        t = batch.row(i)
        yield (
            *(batch.tenant[i], t.transaction_id, t.customer_id, t.timestamp_ms, t.amount_minor),
            *(t.currency, t.type, t.merchant_id, t.merchant_category, t.counterparty_id),
            *(t.device_id, t.ip_address, t.country, t.channel, t.latitude, t.longitude),
            *(
                hundredths(t.amount_minor, t.currency),
                decided.decision_id[i],
                decided.decided_at_ms,
            ),
            *(_OUTCOMES[decided.outcome[i]], decided.probability[i], decided.anomaly_score[i]),
            *(decided.plan, decided.plan_version, features.schema_id),
            *(features.values[i].astype("<f4").tobytes(), _document(decided, i)),
        )


def _document(decided: DecisionBatch, i: int) -> str:
    votes = [
        {"variant": v.variant, "digest": v.digest, "score": float(v.scores[i])}
        for v in decided.votes
        if v.scores is not None
    ]
    document = {
        "votes": votes,
        "reasons": decided.reasons[i],
        "degraded": decided.degraded[i],
        "feature_age_ms": decided.feature_age_ms[i],
    }
    return _encode(document).decode()
