"""The gateway's reads and writes in PostgreSQL. Every query names its tenant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from experiments.reading.reader import Found, Wanted, read
from features.degraded import TRANSACTION_REUSED
from fraud.decision import OUTCOMES
from fraud.errors import NotFound
from fraud.record import DecisionRecord
from serve_app.gateway.auth import KeyRecord
from serve_app.gateway.labels import KeptLabel, LabelResult, LabelWriter, NewLabel
from serve_app.gateway.queries import (
    RECENT_MS,
    attempts,
    decided_between,
    decided_ms,
    parse_decision_id,
    store_errors,
    utc,
)
from serve_app.gateway.search import Search
from stores.statements import statement

_APPROVE: Final = OUTCOMES[0].value


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """A label of a found payment; `holds`: it is the verdict that counts now."""

    label: KeptLabel
    holds: bool


@dataclass(frozen=True, slots=True)
class FoundDecision:
    """A decision on record.

    Attributes:
        record: the record; its `features` are not read and are empty.
        labels: all labels of its payment, oldest `known_at` first.
    """

    record: DecisionRecord
    labels: tuple[FoundLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """A page of decisions, newest first.

    Attributes:
        decisions: 0 to `Search.limit` decisions.
        next_cursor: the cursor of the next page, None on the last.
        search: the search that found them.
    """

    decisions: tuple[FoundDecision, ...]
    next_cursor: str | None
    search: Search


class Records:
    """Reads and writes on asyncpg pools.

    Args:
        pool: the primary.
        replica: for reads that may lag; None: the primary.
        now_ms: milliseconds since the epoch.
    """

    def __init__(
        self, pool: asyncpg.Pool, replica: asyncpg.Pool | None, now_ms: Callable[[], int]
    ) -> None:
        self._pool = pool
        self._replica = pool if replica is None else replica
        self._now_ms = now_ms
        self._labels = LabelWriter(pool, now_ms)

    async def key(self, key_id: str) -> KeyRecord | None:
        """Return an API key's record, None if there is none. Reads the primary, so that a
        revocation counts at once."""
        async with store_errors():
            row = await self._pool.fetchrow(statement("serve_app/gateway/sql/find_key.sql"), key_id)
        return None if row is None else KeyRecord(**row)

    async def changed_keys(self, seconds: float) -> list[tuple[str, datetime]]:
        """Return id and time of the API keys that were changed in the last so many seconds, of all
        tenants. Reads the primary.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            rows = await self._pool.fetch(
                statement("serve_app/gateway/sql/keys_changed.sql"), seconds
            )
        return [(row["key_id"], row["changed_at"]) for row in rows]

    async def decision(self, tenant: str, decision_id: str) -> FoundDecision:
        """Return a decision of a tenant with the labels of its payment. One that was just made is
        waited for, at most a second.

        Raises:
            NotFound: no such decision, or another tenant's.
            StoreUnavailable: PostgreSQL does not answer.
        """
        parsed = parse_decision_id(decision_id)
        if parsed is None:
            raise NotFound("no such decision")
        bounds = decided_between([parsed])
        async for _ in attempts(abs(self._now_ms() - decided_ms(parsed)) < RECENT_MS):
            async with store_errors():
                rows = await self._replica.fetch(
                    statement("serve_app/gateway/sql/find_decision.sql"), tenant, parsed, *bounds
                )
            if rows:
                return (await self._with_labels(tenant, rows))[0]
        raise NotFound("no such decision")

    async def decisions(self, tenant: str, search: Search) -> DecisionPage:
        """Return a page of a tenant's decisions, newest first.

        Raises:
            StoreUnavailable: PostgreSQL does not answer, or not in time.
        """
        query, more = _query(search)
        arguments = (
            *(tenant, search.first_id, search.end_id),
            *(utc(search.from_ms), utc(search.to_ms)),
            *(search.outcome, search.limit + 1),
        )
        async with store_errors():
            rows = await self._replica.fetch(query, *arguments, *more)
        found = await self._with_labels(tenant, rows[: search.limit])
        cursor = None
        if len(rows) > search.limit:
            cursor = search.cursor(UUID(found[-1].record.decision_id))
        return DecisionPage(tuple(found), cursor, search)

    async def label(self, tenant: str, label: NewLabel) -> tuple[KeptLabel, bool]:
        """Keep one label.

        Returns:
            The label as it is kept, and whether it is new.

        Raises:
            NotFound, InvalidInput, Conflict, StoreUnavailable: see LabelWriter.keep.
        """
        (result,) = await self.labels(tenant, [label])
        if isinstance(result, Exception):
            raise result
        return result

    async def labels(self, tenant: str, labels: Sequence[NewLabel]) -> list[LabelResult]:
        """Keep n labels; see LabelWriter.keep."""
        return await self._labels.keep(tenant, labels)

    async def experiment(self, wanted: Wanted) -> Found:
        """Return what is on record of a plan's arms, shadows and challengers. Takes seconds; work
        between two answers of PostgreSQL takes a millisecond or two.

        Raises:
            StoreUnavailable: PostgreSQL does not answer, or not in time.
        """
        async with (
            store_errors(),
            self._replica.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await read(connection, wanted)

    async def _with_labels(
        self, tenant: str, rows: Sequence[asyncpg.Record]
    ) -> list[FoundDecision]:
        """Return the decisions in some rows with the labels of their payments."""
        records = [
            DecisionRecord.from_document(msgspec.json.decode(row["record"]), b"") for row in rows
        ]
        labels: dict[str, list[KeptLabel]] = {}
        if names := {name for record in records if (name := _labelled_as(record))}:
            async with store_errors():
                found = await self._replica.fetch(
                    statement("serve_app/gateway/sql/labels_of_payments.sql"), tenant, list(names)
                )
            for row in found:
                labels.setdefault(row["transaction_id"], []).append(KeptLabel(**row))
        now = utc(self._now_ms())
        return [
            FoundDecision(record, _found_labels(labels.get(_labelled_as(record), []), now))
            for record in records
        ]


def _query(search: Search) -> tuple[str, tuple[object, ...]]:
    """Return the query of a search, and the arguments that only this query takes."""
    if search.transaction_id is not None:
        more = search.transaction_id, search.customer_id
        return statement("serve_app/gateway/sql/search_by_transaction.sql"), more
    if search.customer_id is not None:
        happened = utc(search.happened_from_ms), utc(search.happened_to_ms)
        return statement("serve_app/gateway/sql/search_by_customer.sql"), (
            search.customer_id,
            *happened,
        )
    if search.outcome is None or search.outcome == _APPROVE:
        return statement("serve_app/gateway/sql/search_by_time.sql"), ()
    return statement("serve_app/gateway/sql/search_by_outcome.sql"), ()


def _labelled_as(record: DecisionRecord) -> str:
    """Return the id by which labels of a payment are kept, "" if an earlier payment has its id."""
    return "" if TRANSACTION_REUSED in record.degraded else record.transaction.transaction_id


def _found_labels(labels: Sequence[KeptLabel], now: datetime) -> tuple[FoundLabel, ...]:
    """Mark the label that holds: the last of those that are known by now."""
    holds = max((i for i, label in enumerate(labels) if label.known_at <= now), default=-1)
    return tuple(FoundLabel(label, i == holds) for i, label in enumerate(labels))
