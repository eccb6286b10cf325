"""Writes what shadows would have decided to PostgreSQL, in the background."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Iterable, Sequence

import asyncpg

from fraud.errors import StoreUnavailable
from fraud.record import OUTCOME_TEXT
from fraud.shadow_decision import ShadowDecision
from stores.poll import Poll
from stores.postgres.connect import connect
from stores.postgres.errors import DISCONNECTED, reason
from stores.postgres.session import Session
from stores.statements import statement
from telemetry import metrics

logger = logging.getLogger(__name__)

_INSERT = statement("decision_log/shadows/insert.sql")
MOST_WAITING = 20_000
MOST_AT_ONCE = 1_000
INTERVAL_S = 0.5


class ShadowWriter:
    """See `deciding.shadows.ShadowSink`.

    While PostgreSQL is away, up to `MOST_WAITING` results wait in memory, and newer ones are
    dropped.

    Args:
        url: PostgreSQL.
        timeout_s: longest wait for it.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session: Session | None = None
        self._waiting: deque[ShadowDecision] = deque()
        self._poll = Poll("shadow-decisions", self.flush, INTERVAL_S)

    def start(self) -> None:
        """Write from now on, until `close`."""
        self._poll.start_later()

    def offer(self, decisions: Sequence[ShadowDecision]) -> None:
        """See `ShadowSink`."""
        room = MOST_WAITING - len(self._waiting)
        self._waiting.extend(decisions[:room])
        _lost(len(decisions[room:]))

    async def flush(self) -> None:
        """Write all that waits.

        Raises:
            StoreUnavailable: PostgreSQL does not answer; what waits goes on waiting.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                while self._waiting:
                    part = [self._waiting[i] for i in range(min(MOST_AT_ONCE, len(self._waiting)))]
                    await self._keep(part)
                    for _ in part:
                        self._waiting.popleft()
        except (*DISCONNECTED, asyncpg.PostgresError) as error:
            self._drop()
            raise StoreUnavailable(reason(error)) from error

    async def close(self) -> None:
        """Write what waits, if PostgreSQL answers, and stop."""
        await self._poll.close()
        try:
            await self.flush()
        except StoreUnavailable:
            _lost(len(self._waiting))
        self._drop()

    async def _keep(self, part: Sequence[ShadowDecision]) -> None:
        """Write some; those that PostgreSQL refuses are lost, as they would hold up all others."""
        try:
            await self._write(part)
        except asyncpg.DataError as error:
            if len(part) > 1:
                half = len(part) // 2
                await self._keep(part[:half])
                await self._keep(part[half:])
            else:
                _lost(1)
                logger.warning("a shadow decision is refused: %s", type(error).__name__)

    async def _write(self, part: Sequence[ShadowDecision]) -> None:
        if self._session is None or self._session.is_closed():
            self._session = await connect(
                self._url, timeout_s=self._timeout_s, name="quorum-shadows"
            )
        await self._session.execute(_INSERT, *_columns(part))

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()


def _lost(decisions: int) -> None:
    if decisions:
        metrics.observe_shadow("", "unrecorded", decisions)


def _columns(decisions: Iterable[ShadowDecision]) -> list[list[object]]:
    rows = [
        (
            *(d.tenant, d.decision_id, d.decided_at_ms, d.plan, d.plan_version, d.shadow),
            *(OUTCOME_TEXT[d.outcome], d.probability, json.dumps(d.votes), d.elapsed_ms),
        )
        for d in decisions
    ]
    return [list(column) for column in zip(*rows, strict=True)]
