"""The record of decisions: rows that a task in the background inserts into PostgreSQL in batches.

What waits when the process dies is lost: that is how such apps are written, and a difference to
Quorum, which answers when a decision is durable.
"""

from __future__ import annotations

import asyncio
import logging
from importlib.resources import files
from typing import Any

import msgspec

from fraud.batch import FeatureBatch, TransactionBatch
from fraud.currency import hundredths
from fraud.decision import DecisionBatch
from fraud.plan import Plan
from fraud.record import DecisionRecord, records

MOST_ROWS = 500
_MOST_WAITING = 20_000
_RETRY_S = 0.5
_INSERT = (files("loadtests.bench.apps") / "record.sql").read_text()
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class Recorder:
    """Inserts decisions.

    Args:
        pool: asyncpg.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._waiting: asyncio.Queue[DecisionRecord] = asyncio.Queue(_MOST_WAITING)
        self._task = asyncio.create_task(self._run())

    async def put(
        self, batch: TransactionBatch, features: FeatureBatch, decided: DecisionBatch, plan: Plan
    ) -> None:
        """Hand over decisions; waits only while very many wait already."""
        for record in records(batch, features, decided, plan):
            await self._waiting.put(record)

    async def close(self) -> None:
        """Insert what waits, and end."""
        await self._waiting.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            rows = [await self._waiting.get()]
            while len(rows) < MOST_ROWS and not self._waiting.empty():
                rows.append(self._waiting.get_nowait())
            await self._insert(rows)
            for _ in rows:
                self._waiting.task_done()

    async def _insert(self, rows: list[DecisionRecord]) -> None:
        arguments = _columns(rows)
        while True:
            try:
                await self._pool.execute(_INSERT, *arguments)
                return
            except OSError as error:
                _log.warning("PostgreSQL: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_S)


def _columns(rows: list[DecisionRecord]) -> list[list[Any]]:
    found = [_row(record) for record in rows]
    return [list(column) for column in zip(*found, strict=True)]


def _row(record: DecisionRecord) -> tuple[Any, ...]:
    t = record.transaction
    document = {
        "votes": record.votes,
        "reasons": record.reasons,
        "degraded": record.degraded,
        "feature_age_ms": record.feature_age_ms,
        "code_version": record.code_version,
    }
    return (
        *(record.tenant, t.transaction_id, t.customer_id, t.timestamp_ms, t.amount_minor),
        *(t.currency, t.type, t.merchant_id, t.merchant_category, t.counterparty_id),
        *(t.device_id, t.ip_address, t.country, t.channel, t.latitude, t.longitude),
        *(hundredths(t.amount_minor, t.currency), record.decision_id, record.decided_at_ms),
        *(record.outcome, record.probability, record.anomaly_score),
        *(record.plan["name"], record.plan["version"], record.schema_id, record.features),
        _encode(document).decode(),
    )
