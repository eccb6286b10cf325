"""Writing labels to PostgreSQL, n at a time; one is n = 1. The rules are in `fraud.label`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from fraud.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from serve_app.gateway.queries import (
    RECENT_MS,
    attempts,
    decided_between,
    decided_ms,
    parse_decision_id,
    store_errors,
    utc,
)
from stores.statements import statement

LABELS_AT_A_TIME: Final = 100
"""Labels written in one transaction of PostgreSQL: each holds a lock until its end."""

_ATTEMPTS: Final = 3
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A label to keep. The payment is named by one of the two ids; the other is None.

    Attributes:
        is_fraud: the verdict.
        source: the source of the verdict, see `fraud.label.SOURCES`.
        known_at: when the verdict became known; None: now.
    """

    is_fraud: bool
    source: str
    known_at: datetime | None = None
    decision_id: str | None = None
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class KeptLabel:
    """A label as it is kept; `decision_id` is None if the payment was named by its own id."""

    decision_id: UUID | None
    transaction_id: str
    is_fraud: bool
    source: str
    known_at: datetime
    received_at: datetime


LabelResult = tuple[KeptLabel, bool] | Exception
"""A label as it is kept and whether it is new, or the error that says why it is not kept."""


class _Payment(NamedTuple):
    """A labelled payment; `is_reused`: an earlier payment has its id."""

    transaction_id: str
    decision_id: UUID | None
    occurred_at: datetime
    is_reused: bool = False


@dataclass(slots=True)
class _Entry:
    """A label of one payment and source; `received_at` is None until it is written."""

    is_fraud: bool
    known_at: datetime
    received_at: datetime | None
    decision_id: UUID | None = None


_Key = tuple[str, str]
"""Transaction id, source."""


class _Raced(Exception):
    """A writer that takes no lock has written a label of the same moment meanwhile."""


class LabelWriter:
    """Keeps labels.

    Args:
        pool: the primary.
        now_ms: milliseconds since the epoch.
    """

    def __init__(self, pool: asyncpg.Pool, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._now_ms = now_ms

    async def keep(self, tenant: str, labels: Sequence[NewLabel]) -> list[LabelResult]:
        """Keep n labels, in their order. Repeating a label changes nothing: one without `known_at`
        is a repetition unless it contradicts the newest label of its source.

        Returns:
            For each label what is kept, or NotFound (no such decision or payment, or another
            tenant's), InvalidInput (known before the payment happened), Conflict (its source has
            given the opposite verdict for the same moment, or an earlier payment has its id).

        Raises:
            StoreUnavailable: PostgreSQL does not answer; some may have been kept.
        """
        payments = await self._payments(tenant, labels)
        results: list[LabelResult] = []
        for at in range(0, len(labels), LABELS_AT_A_TIME):
            part = slice(at, at + LABELS_AT_A_TIME)
            results += await self._keep(tenant, labels[part], payments[part])
        return results

    async def _payments(self, tenant: str, labels: Sequence[NewLabel]) -> list[_Payment | None]:
        """Return the payment of each label. One that was just decided is waited for."""
        ids = {n.decision_id: parse_decision_id(n.decision_id) for n in labels if n.decision_id}
        wanted = {id for id in ids.values() if id is not None}
        names = {n.transaction_id for n in labels if n.transaction_id}
        decided: dict[UUID, _Payment] = {}
        named: dict[str, _Payment] = {}
        now_ms = self._now_ms()
        wait = bool(names) or any(abs(now_ms - decided_ms(i)) < RECENT_MS for i in wanted)
        async for _ in attempts(wait):
            if missing := wanted - decided.keys():
                decided |= await self._by_decision(tenant, missing)
            if absent := names - named.keys():
                named |= await self._by_transaction(tenant, absent)
            if len(decided) == len(wanted) and len(named) == len(names):
                break
        return [
            named.get(n.transaction_id) if n.transaction_id else decided.get(ids[n.decision_id])  # type: ignore[arg-type, index]
            for n in labels
        ]

    async def _by_decision(self, tenant: str, ids: set[UUID]) -> dict[UUID, _Payment]:
        async with store_errors():
            rows = await self._pool.fetch(
                statement("serve_app/gateway/sql/decided_payments.sql"),
                tenant,
                list(ids),
                *decided_between(ids),
            )
        return {
            row["decision_id"]: _Payment(
                row["transaction_id"],
                row["decision_id"],
                utc(row["occurred_ms"]),
                row["is_reused"],
            )
            for row in rows
        }

    async def _by_transaction(self, tenant: str, names: set[str]) -> dict[str, _Payment]:
        async with store_errors():
            rows = await self._pool.fetch(
                statement("serve_app/gateway/sql/payments.sql"), tenant, list(names)
            )
        return {
            row["transaction_id"]: _Payment(row["transaction_id"], None, utc(row["occurred_ms"]))
            for row in rows
        }

    async def _keep(
        self, tenant: str, labels: Sequence[NewLabel], payments: Sequence[_Payment | None]
    ) -> list[LabelResult]:
        for _ in range(_ATTEMPTS):
            try:
                async with (
                    store_errors(),
                    self._pool.acquire() as connection,
                    connection.transaction(),
                ):
                    return await self._write(connection, tenant, labels, payments)
            except _Raced:
                continue
        raise StoreUnavailable("another writer keeps writing labels of the same moments")

    async def _write(
        self,
        connection: asyncpg.Connection,
        tenant: str,
        labels: Sequence[NewLabel],
        payments: Sequence[_Payment | None],
    ) -> list[LabelResult]:
        keys = _columns(
            (payment.transaction_id, label.source)
            for label, payment in zip(labels, payments, strict=True)
            if payment is not None
        )
        await connection.execute(statement("serve_app/gateway/sql/lock_labels.sql"), tenant, *keys)
        history = _History(utc(self._now_ms()))
        for row in await connection.fetch(
            statement("serve_app/gateway/sql/labels_of_sources.sql"), tenant, *keys
        ):
            history.add((row["transaction_id"], row["source"]), *tuple(row)[2:])
        found = [history.enter(*pair) for pair in zip(labels, payments, strict=True)]
        rows = await connection.fetch(
            statement("serve_app/gateway/sql/insert_labels.sql"), tenant, *history.columns()
        )
        history.written(rows)
        return [
            entry if isinstance(entry, Exception) else (_kept(label, payment, entry[0]), entry[1])
            for label, payment, entry in zip(labels, payments, found, strict=True)
        ]


class _History:
    """The labels of some payments, and the new ones on top of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._entries: dict[_Key, list[_Entry]] = {}
        self._new: list[tuple[_Key, _Entry]] = []

    def add(
        self, key: _Key, is_fraud: bool, known_at: datetime, received_at: datetime | None
    ) -> _Entry:
        entry = _Entry(is_fraud, known_at, received_at)
        self._entries.setdefault(key, []).append(entry)
        return entry

    def enter(self, label: NewLabel, payment: _Payment | None) -> tuple[_Entry, bool] | Exception:
        """Return what is kept of a label and whether it is new, or why it is not kept."""
        if payment is None:
            return NotFound("no such decision or payment")
        if payment.is_reused:
            # Labels are kept by transaction id: it would count for the payment that had it first.
            return Conflict(
                "the decision is on another payment that reused the `transaction_id` of an earlier"
                " one: a label would count for the earlier payment"
            )
        key = payment.transaction_id, label.source
        before = self._entries.get(key, [])
        known_at = label.known_at
        if known_at is None:
            newest = max(before, key=lambda entry: entry.known_at, default=None)
            if newest is not None and newest.is_fraud == label.is_fraud:
                return newest, False
            known_at = max(self._now, payment.occurred_at)
            if newest is not None:
                # A correction is newer than what it corrects, whatever the clocks say.
                known_at = max(known_at, newest.known_at + _MILLISECOND)
        elif known_at < payment.occurred_at:
            detail = "Too early: expected a `known_at` not before the payment's `timestamp`"
            return InvalidInput(
                "the label cannot be kept", (("/known_at", "before_payment", detail),)
            )
        for entry in before:
            if entry.known_at == known_at:
                if entry.is_fraud == label.is_fraud:
                    return entry, False
                return Conflict(
                    "this source has already given the opposite verdict for the same `known_at`"
                )
        entry = self.add(key, label.is_fraud, known_at, None)
        entry.decision_id = payment.decision_id
        self._new.append((key, entry))
        return entry, True

    def columns(self) -> list[list[object]]:
        """Return the new labels as the columns of `insert_labels.sql`."""
        rows = ((*key, e.known_at, e.is_fraud, e.decision_id) for key, e in self._new)
        return _columns(rows, 5)

    def written(self, rows: Iterable[asyncpg.Record]) -> None:
        """Note when the new labels were received. Raises _Raced if another writer was faster."""
        times = {(row[0], row[1], row[2]): row[3] for row in rows}
        for key, entry in self._new:
            entry.received_at = times.get((*key, entry.known_at))
            if entry.received_at is None:
                raise _Raced


def _kept(label: NewLabel, payment: _Payment | None, entry: _Entry) -> KeptLabel:
    assert payment is not None
    assert entry.received_at is not None
    return KeptLabel(
        payment.decision_id,
        payment.transaction_id,
        entry.is_fraud,
        label.source,
        entry.known_at,
        entry.received_at,
    )


def _columns(rows: Iterable[tuple[object, ...]], width: int = 2) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
