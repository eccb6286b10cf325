"""What the front reads from and writes to PostgreSQL. Every query names its tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.errors import NotFound, StoreUnavailable
from fraud.plan import Plan
from serve_app import statements
from serve_app.answers import rfc3339
from serve_app.auth import KeyRecord
from serve_app.problems import Conflict
from serve_app.schemas import DecisionOut, LabelOut, PlanOut, ReasonOut, VoteOut
from stores.postgres.errors import DISCONNECTED

SHIPPING_S = 1.0
"""How long a fresh decision may take from the decision log to PostgreSQL before it is not found."""

RECENT_S = 30.0
_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.33)
_OUTCOME_NAMES = [outcome.value for outcome in OUTCOMES]
_SLACK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label to keep: what `source` says a payment was, known from `known_at` (None: now)."""

    is_fraud: bool
    source: str
    known_at: datetime | None


class Records:
    """Reads and writes on asyncpg pools.

    Args:
        pool: the primary.
        replica: for reads that may lag; the primary if there is none.
        now_ms: milliseconds since the epoch.
    """

    def __init__(
        self, pool: asyncpg.Pool, replica: asyncpg.Pool | None, now_ms: Callable[[], int]
    ) -> None:
        self._pool = pool
        self._replica = pool if replica is None else replica
        self._now_ms = now_ms

    async def key(self, key_id: str) -> KeyRecord | None:
        """An API key's record, None if there is none. From the primary: a revocation counts."""
        async with _asked():
            row = await self._pool.fetchrow(statements.FIND_KEY, key_id)
        return None if row is None else KeyRecord(**row)

    async def decision(self, tenant: str, decision_id: str) -> DecisionOut:
        """A decision of a tenant's. One that was just made is waited for, `SHIPPING_S` at most.

        Raises:
            NotFound: no such decision, or another tenant's.
            StoreUnavailable: PostgreSQL does not answer.
        """
        parsed = _uuid7(decision_id)
        if parsed is None:
            raise NotFound("no such decision")
        made_ms = parsed.int >> 80
        fresh = abs(self._now_ms() - made_ms) < RECENT_S * 1000
        for pause_s in (*(_PAUSES_S if fresh else ()), None):
            document = await self._document(tenant, parsed, made_ms)
            if document is not None:
                return _decision_out(document)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise NotFound("no such decision")

    async def label(self, tenant: str, decision_id: str, verdict: Verdict) -> tuple[LabelOut, bool]:
        """Keep what the payment of a decision turned out to be.

        Saying the same again changes nothing: without `known_at` it is the same while it does not
        contradict what this source last said.

        Returns:
            The label as it is kept, and whether it is new.

        Raises:
            NotFound: no such decision, or another tenant's.
            Conflict: this source said the opposite of the same moment.
            StoreUnavailable: PostgreSQL does not answer.
        """
        decision = await self.decision(tenant, decision_id)
        which = (tenant, decision.transaction_id, verdict.source)
        async with _asked(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute(statements.LOCK_LABEL, *which)
            if verdict.known_at is None:
                row = await connection.fetchrow(statements.NEWEST_LABEL, *which)
                known_at = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
                if row is not None and row["is_fraud"] != verdict.is_fraud:
                    # A correction holds from after what it corrects, whatever the clocks say.
                    known_at = max(known_at, row["known_at"] + _SLACK)
                    row = None
            else:
                known_at = verdict.known_at
                row = await connection.fetchrow(statements.LABEL_AT, *which, known_at)
                if row is not None and row["is_fraud"] != verdict.is_fraud:
                    raise Conflict("this source already said the opposite of the same known_at")
            is_new = row is None
            if row is None:
                row = await connection.fetchrow(
                    statements.INSERT_LABEL,
                    *(*which, known_at, verdict.is_fraud, UUID(decision.decision_id)),
                )
        label = LabelOut(
            decision.decision_id,
            decision.transaction_id,
            row["is_fraud"],
            verdict.source,
            row["known_at"],
            row["received_at"],
        )
        return label, is_new

    async def active_plan(self) -> Plan | None:
        """The plan that decides now, None if there is none yet.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with _asked():
            text = await self._replica.fetchval(statements.ACTIVE_PLAN)
        return None if text is None else Plan.from_document(msgspec.json.decode(text))

    async def _document(self, tenant: str, decision_id: UUID, made_ms: int) -> Any:
        made = datetime.fromtimestamp(made_ms / 1000, UTC)
        async with _asked():
            text = await self._replica.fetchval(
                *(statements.FIND_DECISION, tenant, decision_id, made - _SLACK, made + _SLACK)
            )
        return None if text is None else msgspec.json.decode(text)


@asynccontextmanager
async def _asked() -> AsyncIterator[None]:
    """PostgreSQL's silence as the house's own error."""
    try:
        yield
    except (*DISCONNECTED, asyncpg.PostgresError) as error:
        raise StoreUnavailable("PostgreSQL does not answer") from error


def _uuid7(text: str) -> UUID | None:
    """The id, if it is a UUIDv7 in its usual form and of a time that a timestamp can hold."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    usual = len(text) == 36 and parsed.version == 7
    return parsed if usual and parsed.int >> 80 < 4_102_444_800_000 else None


def _decision_out(document: dict[str, Any]) -> DecisionOut:
    """The answer that the client got, from the record (fraud.record); stages are not kept."""
    outcome = _OUTCOME_NAMES.index(document["outcome"])
    age_ms = document["feature_age_ms"]
    plan = document["plan"]
    return DecisionOut(
        decision_id=document["decision_id"],
        transaction_id=document["transaction"]["transaction_id"],
        decision=document["outcome"],
        risk_score=document["risk_score"],
        probability=document["probability"],
        risk_level=RISK_LEVELS[outcome],  # type: ignore[arg-type]
        reasons=[ReasonOut(**reason) for reason in document["reasons"]],
        variants=[
            VoteOut(vote["variant"], vote["version"], vote["status"], vote["score"])
            for vote in document["votes"]
        ],
        anomaly_score=document["anomaly_score"],
        plan=PlanOut(plan["name"], plan["version"]),
        degraded=bool(document["degraded"]),
        degraded_reasons=list(document["degraded"]),
        feature_age_ms=None if age_ms < 0 else age_ms,
        stage_ms={},
        decided_at=rfc3339(document["decided_at_ms"]),
    )
