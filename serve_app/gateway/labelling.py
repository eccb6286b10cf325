"""Keeping labels in PostgreSQL: n at a time, one is n = 1. The rules are in `fraud.label`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from fraud.errors import InvalidInput, NotFound, StoreUnavailable
from serve_app.gateway.asking import RECENT_MS, asked, attempts, made_ms, uuid7
from serve_app.http.problems import Conflict
from serve_app.http.wire.schemas import LabelOut
from stores.statements import statement

LABELS_AT_A_TIME: Final = 100
"""Labels of one transaction on PostgreSQL: each holds a lock until its end."""

_RACES: Final = 3
_SLACK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label to keep: what `source` says a payment was, known from `known_at` (None: now)."""

    is_fraud: bool
    source: str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A verdict on the payment that one of the two ids names; the other is None."""

    verdict: Verdict
    decision_id: str | None = None
    transaction_id: str | None = None


Kept = tuple[LabelOut, bool] | Exception
"""A label as it is kept and whether it is new, or why it is not kept."""


class _Payment(NamedTuple):
    """A payment; `is_reused`: an earlier one has its id."""

    transaction_id: str
    decision_id: UUID | None
    occurred_at: datetime
    is_reused: bool = False


@dataclass(slots=True)
class _Said:
    """What a source said of a payment; `received_at` is None until it is kept."""

    is_fraud: bool
    known_at: datetime
    received_at: datetime | None
    decision_id: UUID | None = None


_Key = tuple[str, str]
"""Transaction id, source."""


class _Raced(Exception):
    """Somebody who takes no lock kept a label of the same moment meanwhile."""


class Labelling:
    """Keeps labels.

    Args:
        pool: the primary.
        now_ms: milliseconds since the epoch.
    """

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._now_ms = now_ms

    async def keep(self, tenant: str, claims: Sequence[Claim]) -> list[Kept]:
        """Keep n labels, in their order. Saying the same again changes nothing: without `known_at`
        it is the same while it does not contradict what its source last said.

        Returns:
            For each claim the label, or NotFound (no such decision or payment, or another
            tenant's), InvalidInput (known before the payment happened), Conflict (its source said
            the opposite of the same moment, or an earlier payment has its id).

        Raises:
            StoreUnavailable: PostgreSQL does not answer; some may have been kept.
        """
        payments = await self._payments(tenant, claims)
        kept: list[Kept] = []
        for at in range(0, len(claims), LABELS_AT_A_TIME):
            part = slice(at, at + LABELS_AT_A_TIME)
            kept += await self._keep(tenant, claims[part], payments[part])
        return kept

    async def _payments(self, tenant: str, claims: Sequence[Claim]) -> list[_Payment | None]:
        """The payment of each claim. One that was just decided on is waited for."""
        decisions = {c.decision_id: uuid7(c.decision_id) for c in claims if c.decision_id}
        wanted = {id for id in decisions.values() if id is not None}
        names = {c.transaction_id for c in claims if c.transaction_id}
        decided: dict[UUID, _Payment] = {}
        named: dict[str, _Payment] = {}
        now_ms = self._now_ms()
        waits = bool(names) or any(abs(now_ms - made_ms(i)) < RECENT_MS for i in wanted)
        async for _ in attempts(waits):
            if missing := wanted - decided.keys():
                decided |= await self._decided(tenant, missing)
            if absent := names - named.keys():
                named |= await self._named(tenant, absent)
            if len(decided) == len(wanted) and len(named) == len(names):
                break
        return [
            named.get(c.transaction_id)
            if c.transaction_id
            else decided.get(decisions[c.decision_id])  # type: ignore[arg-type, index]
            for c in claims
        ]

    async def _decided(self, tenant: str, ids: set[UUID]) -> dict[UUID, _Payment]:
        times = [_at(made_ms(id)) for id in ids]
        span = min(times) - _SLACK, max(times) + _SLACK
        async with asked():
            rows = await self._pool.fetch(
                statement("serve_app/gateway/sql/decided_payments.sql"), tenant, list(ids), *span
            )
        return {
            row["decision_id"]: _Payment(
                row["transaction_id"],
                row["decision_id"],
                _at(row["occurred_ms"]),
                row["is_reused"],
            )
            for row in rows
        }

    async def _named(self, tenant: str, names: set[str]) -> dict[str, _Payment]:
        async with asked():
            rows = await self._pool.fetch(
                statement("serve_app/gateway/sql/payments.sql"), tenant, list(names)
            )
        return {
            row["transaction_id"]: _Payment(row["transaction_id"], None, _at(row["occurred_ms"]))
            for row in rows
        }

    async def _keep(
        self, tenant: str, claims: Sequence[Claim], payments: Sequence[_Payment | None]
    ) -> list[Kept]:
        for _ in range(_RACES):
            try:
                async with asked(), self._pool.acquire() as connection, connection.transaction():
                    return await self._kept(connection, tenant, claims, payments)
            except _Raced:
                continue
        raise StoreUnavailable("labels of the same moments are written by somebody else")

    async def _kept(
        self,
        connection: asyncpg.Connection,
        tenant: str,
        claims: Sequence[Claim],
        payments: Sequence[_Payment | None],
    ) -> list[Kept]:
        keys = _columns(
            (p.transaction_id, c.verdict.source)
            for c, p in zip(claims, payments, strict=True)
            if p is not None
        )
        await connection.execute(statement("serve_app/gateway/sql/lock_labels.sql"), tenant, *keys)
        book = _Book(_at(self._now_ms()))
        for row in await connection.fetch(
            statement("serve_app/gateway/sql/said_labels.sql"), tenant, *keys
        ):
            book.note((row["transaction_id"], row["source"]), *tuple(row)[2:])
        found = [book.judge(c.verdict, p) for c, p in zip(claims, payments, strict=True)]
        rows = await connection.fetch(
            statement("serve_app/gateway/sql/insert_labels.sql"), tenant, *book.columns()
        )
        book.received(rows)
        return [
            said if isinstance(said, Exception) else (_label(claim, payment, said[0]), said[1])
            for claim, payment, said in zip(claims, payments, found, strict=True)
        ]


class _Book:
    """What sources said of some payments, and what they say now on top of it."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._said: dict[_Key, list[_Said]] = {}
        self._new: list[tuple[_Key, _Said]] = []

    def note(
        self, key: _Key, is_fraud: bool, known_at: datetime, received_at: datetime | None
    ) -> _Said:
        said = _Said(is_fraud, known_at, received_at)
        self._said.setdefault(key, []).append(said)
        return said

    def judge(self, verdict: Verdict, payment: _Payment | None) -> tuple[_Said, bool] | Exception:
        """What is kept of a verdict and whether it is new, or why it is not kept."""
        if payment is None:
            return NotFound("no such decision or payment")
        if payment.is_reused:
            # Labels are kept by transaction id: it would count for the payment that had it first.
            return Conflict(
                "the decision is of another payment under the transaction_id of an earlier one: a"
                " label would be taken for the earlier one's"
            )
        key = payment.transaction_id, verdict.source
        before = self._said.get(key, [])
        known_at = verdict.known_at
        if known_at is None:
            newest = max(before, key=lambda said: said.known_at, default=None)
            if newest is not None and newest.is_fraud == verdict.is_fraud:
                return newest, False
            known_at = max(self._now, payment.occurred_at)
            if newest is not None:
                # A correction holds from after what it corrects, whatever the clocks say.
                known_at = max(known_at, newest.known_at + _SLACK)
        elif known_at < payment.occurred_at:
            detail = "lies before the payment, which nobody could know anything of yet"
            return InvalidInput(
                "the label cannot be kept", (("/known_at", "before_payment", detail),)
            )
        for said in before:
            if said.known_at == known_at:
                if said.is_fraud == verdict.is_fraud:
                    return said, False
                return Conflict("this source already said the opposite of the same known_at")
        said = self.note(key, verdict.is_fraud, known_at, None)
        said.decision_id = payment.decision_id
        self._new.append((key, said))
        return said, True

    def columns(self) -> list[list[object]]:
        """What is new as the columns of `insert_labels.sql`."""
        rows = ((*key, s.known_at, s.is_fraud, s.decision_id) for key, s in self._new)
        return _columns(rows, 5)

    def received(self, rows: Iterable[asyncpg.Record]) -> None:
        """Note when what is new was received. Raises _Raced if somebody else was faster."""
        times = {(row[0], row[1], row[2]): row[3] for row in rows}
        for key, said in self._new:
            said.received_at = times.get((*key, said.known_at))
            if said.received_at is None:
                raise _Raced


def _label(claim: Claim, payment: _Payment | None, said: _Said) -> LabelOut:
    assert payment is not None
    assert said.received_at is not None
    return LabelOut(
        None if payment.decision_id is None else str(payment.decision_id),
        payment.transaction_id,
        said.is_fraud,
        claim.verdict.source,
        said.known_at,
        said.received_at,
    )


def _columns(rows: Iterable[tuple[object, ...]], width: int = 2) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
