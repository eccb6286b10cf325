"""What the front reads from and writes to PostgreSQL. Every query names its tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET

from deciding.plans.table import read_active
from features.degraded import TRANSACTION_REUSED
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.errors import NotFound
from fraud.payment.currency import to_major
from fraud.plan import Plan
from fraud.stage import expanded_stages
from serve_app.gateway.asking import RECENT_MS, asked, attempts, made_ms, uuid7
from serve_app.gateway.auth import KeyRecord
from serve_app.gateway.labelling import Claim, Kept, Labelling, Verdict
from serve_app.gateway.search import Search
from serve_app.http.wire.answers import rfc3339
from serve_app.http.wire.schemas import (
    DecisionsOut,
    KeptDecisionOut,
    KeptLabelOut,
    LabelOut,
    PaymentOut,
    PlanOut,
    ReasonOut,
    VoteOut,
)
from stores.statements import statement

_OUTCOME_NAMES = [outcome.value for outcome in OUTCOMES]
_SLACK = timedelta(milliseconds=1)
_MONEY_AND_TIME = ("amount_minor", "timestamp_ms")


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
        self._labelling = Labelling(pool, now_ms)

    async def key(self, key_id: str) -> KeyRecord | None:
        """An API key's record, None if there is none. From the primary: a revocation counts."""
        async with asked():
            row = await self._pool.fetchrow(statement("serve_app/gateway/sql/find_key.sql"), key_id)
        return None if row is None else KeyRecord(**row)

    async def decision(self, tenant: str, decision_id: str) -> KeptDecisionOut:
        """A decision of a tenant's, with its payment and its labels. One that was just made is
        waited for, a second at most.

        Raises:
            NotFound: no such decision, or another tenant's.
            StoreUnavailable: PostgreSQL does not answer.
        """
        parsed = uuid7(decision_id)
        if parsed is None:
            raise NotFound("no such decision")
        made = datetime.fromtimestamp(made_ms(parsed) / 1000, UTC)
        span = made - _SLACK, made + _SLACK
        async for _ in attempts(abs(self._now_ms() - made_ms(parsed)) < RECENT_MS):
            async with asked():
                rows = await self._replica.fetch(
                    statement("serve_app/gateway/sql/find_decision.sql"), tenant, parsed, *span
                )
            if rows:
                return (await self._kept(tenant, rows))[0]
        raise NotFound("no such decision")

    async def decisions(self, tenant: str, search: Search) -> DecisionsOut:
        """A page of a tenant's decisions, newest first.

        Raises:
            StoreUnavailable: PostgreSQL does not answer, or not in time.
        """
        query, more = _query(search)
        arguments = (
            *(tenant, search.first_id, search.end_id),
            *(_moment(search.from_ms), _moment(search.to_ms)),
            *(search.outcome, search.limit + 1),
        )
        async with asked():
            rows = await self._replica.fetch(query, *arguments, *more)
        found = await self._kept(tenant, rows[: search.limit])
        cursor = None
        if len(rows) > search.limit:
            cursor = search.cursor(UUID(found[-1].decision_id))
        return DecisionsOut(found, cursor, _moment(search.from_ms), _moment(search.to_ms))

    async def label(self, tenant: str, decision_id: str, verdict: Verdict) -> tuple[LabelOut, bool]:
        """Keep what the payment of a decision turned out to be.

        Returns:
            The label as it is kept, and whether it is new.

        Raises:
            NotFound, InvalidInput, Conflict, StoreUnavailable: see Labelling.keep.
        """
        (kept,) = await self.labels(tenant, [Claim(verdict, decision_id)])
        if isinstance(kept, Exception):
            raise kept
        return kept

    async def labels(self, tenant: str, claims: Sequence[Claim]) -> list[Kept]:
        """Keep what n payments turned out to be; see Labelling.keep."""
        return await self._labelling.keep(tenant, claims)

    async def active_plan(self) -> Plan | None:
        """The plan that decides now, None if there is none yet.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with asked():
            return await read_active(self._replica)

    async def _kept(self, tenant: str, rows: Sequence[asyncpg.Record]) -> list[KeptDecisionOut]:
        """Rows of decisions as they are told, with what was said of their payments."""
        documents = [msgspec.json.decode(row["record"]) for row in rows]
        names = {name for document in documents if (name := _labelled_as(document))}
        said: dict[str, list[asyncpg.Record]] = {}
        if names:
            async with asked():
                labels = await self._replica.fetch(
                    statement("serve_app/gateway/sql/labels_of.sql"), tenant, list(names)
                )
            for label in labels:
                said.setdefault(label["transaction_id"], []).append(label)
        now = _moment(self._now_ms())
        return [
            _decision_out(d, _labels_out(said.get(_labelled_as(d), ()), now)) for d in documents
        ]


def _query(search: Search) -> tuple[str, tuple[object, ...]]:
    """The query for a search, and its arguments beyond those that all have."""
    if search.transaction_id is not None:
        more = search.transaction_id, search.customer_id
        return statement("serve_app/gateway/sql/search_by_transaction.sql"), more
    if search.customer_id is not None:
        happened = _moment(search.happened_from_ms), _moment(search.happened_to_ms)
        return statement("serve_app/gateway/sql/search_by_customer.sql"), (
            search.customer_id,
            *happened,
        )
    if search.outcome is None or search.outcome == _OUTCOME_NAMES[0]:
        return statement("serve_app/gateway/sql/search_by_time.sql"), ()
    return statement("serve_app/gateway/sql/search_by_outcome.sql"), ()


def _labelled_as(document: dict[str, Any]) -> str:
    """The id by which labels of a recorded payment are kept; "": an earlier one has its id."""
    name: str = document["transaction"]["transaction_id"]
    return "" if TRANSACTION_REUSED in document["degraded"] else name


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _labels_out(labels: Iterable[asyncpg.Record], now: datetime) -> list[KeptLabelOut]:
    """What was said of a payment, oldest first; the last that is known by now holds."""
    rows = list(labels)
    holds = max((i for i, row in enumerate(rows) if row["known_at"] <= now), default=-1)
    return [
        KeptLabelOut(
            *(row["is_fraud"], row["source"], row["known_at"], row["received_at"]),
            None if row["decision_id"] is None else str(row["decision_id"]),
            i == holds,
        )
        for i, row in enumerate(rows)
    ]


def _payment_out(transaction: dict[str, Any]) -> PaymentOut:
    """The payment as it can be sent again: what was unknown is left out."""
    known = {k: v for k, v in transaction.items() if v is not None and k not in _MONEY_AND_TIME}
    return PaymentOut(
        **known,
        timestamp=rfc3339(transaction["timestamp_ms"]).replace(".000Z", "Z"),
        amount=f"{to_major(transaction['amount_minor'], transaction['currency']):f}",
    )


def _decision_out(document: dict[str, Any], labels: list[KeptLabelOut]) -> KeptDecisionOut:
    """The answer that the client got, from the record (fraud.record), and what belongs to it."""
    outcome = _OUTCOME_NAMES.index(document["outcome"])
    age_ms = document["feature_age_ms"]
    plan, notes = document["plan"], document["transaction"].get("metadata")
    variants = [vote["variant"] for vote in document["votes"]]
    return KeptDecisionOut(
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
        stage_ms=expanded_stages(document.get("stage_ms", {}), variants),
        decided_at=rfc3339(document["decided_at_ms"]),
        metadata=UNSET if notes is None else notes,
        payment=_payment_out(document["transaction"]),
        labels=labels,
    )
