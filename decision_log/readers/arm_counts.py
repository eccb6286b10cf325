"""What the arms of a plan did lately, counted from decisions on record.

A look reads the last half minute, where records may still be on their way, and what it has not read
before. So each decision is read a few times, however long the window is.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from fraud.errors import StoreUnavailable
from fraud.policy.health import Health
from fraud.policy.interface import STEP
from stores.postgres.connect import connect
from stores.postgres.errors import DISCONNECTED, reason
from stores.postgres.session import Session
from stores.statements import statement

OPEN_S = 30.0
"""Decisions younger than this may be missing still: they are shipped in the background."""
BUDGET_S = 1.0
"""A look reads no further back after this time; the next one goes on there."""

_PRECISION = 1.02
"""Waits are known to within 1 %."""
_FAST_S = 0.1
_LONGEST_GAP_S = 300.0
"""After a longer pause it begins anew, so that no read takes long."""
_MOST_SLICES = 120
_SHORTEST_S, _LONGEST_S = 5.0, 60.0
_END = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_ID = UUID(int=2**128 - 1)
_SQL = statement("decision_log/readers/sql/arm_counts.sql")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions to count.

    Attributes:
        tenants: whose payments.
        plan, version: what decided them.
        since: when the version began to decide: what it decided at an earlier time does not count.
        window_s: how far back decisions count, > 0.
    """

    tenants: tuple[str, ...]
    plan: str
    version: int
    since: datetime
    window_s: float

    @property
    def slice_s(self) -> float:
        """Decisions leave the window in slices of so many seconds."""
        return min(max(self.window_s / _MOST_SLICES, _SHORTEST_S), _LONGEST_S)


@dataclass(slots=True)
class ArmCounts:
    """What one arm did.

    Attributes:
        decisions, errors, blocks: see `Health`.
        waits: bucket -> decisions whose wait for votes is in it. Bucket b is around
            `1.02 ** b` milliseconds.
    """

    decisions: int = 0
    errors: int = 0
    blocks: int = 0
    waits: Counter[int] = field(default_factory=Counter)

    def add(self, other: ArmCounts) -> None:
        """Add what another arm, or the same at another time, did."""
        self.decisions += other.decisions
        self.errors += other.errors
        self.blocks += other.blocks
        self.waits.update(other.waits)

    def health(self) -> Health:
        """Return the figures."""
        return Health(self.decisions, self.errors, self.blocks, self._p95_ms())

    def _p95_ms(self) -> float | None:
        left = 0.95 * self.waits.total()
        for bucket in sorted(self.waits):
            left -= self.waits[bucket]
            if left <= 0:
                return float(_PRECISION**bucket)
        return None


Slices = dict[int, dict[str, ArmCounts]]
"""Number of a slice, counted from 1970 -> arm -> what it did."""


@dataclass(slots=True)
class _Known:
    """What has been read: every slice from `first` on, and for good before `closed`."""

    first: int
    closed: int
    slices: Slices = field(default_factory=dict)


class ArmCountsReader:
    """Counts over one connection, and connects again when it is lost.

    Args:
        url: PostgreSQL; a read replica will do.
        timeout_s: longest wait for the result of a statement.
        variable: the setting that holds `url`.
    """

    def __init__(self, url: str, timeout_s: float, variable: str = "DATABASE_URL") -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._variable = variable
        self._session: Session | None = None
        self._known: dict[Wanted, _Known] = {}

    async def counts(self, wanted: Wanted, now: datetime) -> dict[str, ArmCounts]:
        """Return arm -> what it did in the window that ends now. After `BUDGET_S` of reading the
        window is cut short at its old end, and is longer at the next call.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        length = wanted.slice_s
        start = max(now - timedelta(seconds=wanted.window_s), wanted.since)
        oldest = math.floor(start.timestamp() / length)
        closed = max(oldest, math.floor((now.timestamp() - OPEN_S) / length))
        known = self._known.get(wanted)
        if known is None or (closed - known.closed) * length > _LONGEST_GAP_S:
            known = self._known[wanted] = _Known(closed, closed)
        reread = max(oldest, known.closed)
        kept = {n: arms for n, arms in known.slices.items() if oldest <= n < reread}
        known.slices = kept | await self._read(wanted, reread, None)
        known.first, known.closed = max(known.first, oldest), closed
        await self._look_back(wanted, known, oldest)
        return _sum(known.slices)

    def forget_others(self, wanted: Collection[Wanted]) -> None:
        """Forget what was read for anything else."""
        self._known = {key: known for key, known in self._known.items() if key in wanted}

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.terminate()

    async def _look_back(self, wanted: Wanted, known: _Known, oldest: int) -> None:
        began = time.monotonic()
        span = max(1, round(OPEN_S / wanted.slice_s))
        while known.first > oldest and time.monotonic() - began < BUDGET_S:
            first, at = max(oldest, known.first - span), time.monotonic()
            known.slices |= await self._read(wanted, first, known.first)
            known.first = first
            if time.monotonic() - at < _FAST_S:
                span *= 2

    async def _read(self, wanted: Wanted, first: int, end: int | None) -> Slices:
        """Count the slices first .. end-1; up to the newest if end is None."""
        length = wanted.slice_s
        since = max(datetime.fromtimestamp(first * length, UTC), wanted.since)
        until = _END if end is None else datetime.fromtimestamp(end * length, UTC)
        last_id = _LAST_ID if end is None else _lowest_id(until)
        which = (list(wanted.tenants), wanted.plan, wanted.version, since, until)
        bounds = (_lowest_id(since), last_id, length, _PRECISION)
        try:
            async with asyncio.timeout(self._timeout_s):
                session = await self._connected()
                rows = await session.fetch(_SQL, *which, *bounds)
        except (*DISCONNECTED, asyncpg.PostgresError) as error:
            await self.close()
            raise StoreUnavailable(f"arms are not measured: {reason(error)}") from error
        return _slices(rows)

    async def _connected(self) -> Session:
        if self._session is None or self._session.is_closed():
            self._session = await connect(
                self._url,
                variable=self._variable,
                timeout_s=self._timeout_s,
                name="quorum-arms",
                writes=False,
            )
        return self._session


def health_of(counts: Mapping[str, ArmCounts], way: str) -> Health:
    """Return the health of everything below a way through the plan, e.g. `eur > new`."""
    together = ArmCounts()
    for arm, own in counts.items():
        if arm == way or arm.startswith(way + STEP):
            together.add(own)
    return together.health()


def _lowest_id(at: datetime) -> UUID:
    """The lowest decision id of a time, see `fraud.ids`."""
    return UUID(int=max(0, math.floor(at.timestamp() * 1000)) << 80)


def _slices(rows: list[Any]) -> Slices:
    slices: Slices = {}
    for row in rows:
        counts = slices.setdefault(row["slice"], {}).setdefault(row["arm"], ArmCounts())
        waits = Counter({row["wait"]: row["decisions"]} if row["wait"] is not None else {})
        counts.add(ArmCounts(row["decisions"], row["errors"], row["blocks"], waits))
    return slices


def _sum(slices: Slices) -> dict[str, ArmCounts]:
    total: dict[str, ArmCounts] = {}
    for arms in slices.values():
        for arm, counts in arms.items():
            total.setdefault(arm, ArmCounts()).add(counts)
    return total
