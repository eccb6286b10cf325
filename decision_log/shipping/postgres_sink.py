"""PostgreSQL as a record sink, over one connection of its own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg

from decision_log.shipping.array_text import array_text
from decision_log.shipping.columns import AS_TEXT, N_COLUMNS, columns
from decision_log.shipping.sink import RecordRefused
from features.store.span import day
from fraud.errors import QuorumError, StoreUnavailable
from fraud.record import PlanDocument, RecordBatch
from stores.postgres.connect import connect
from stores.postgres.errors import is_unfit, reason, sqlstate
from stores.postgres.session import Session
from stores.statements import statement

logger = logging.getLogger(__name__)

_SHIP = statement("decision_log/shipping/ship.sql")
# Only after a crash is a decision there already. To look for it first costs a tenth of an insert:
# this clause is added only after an insert has failed for that reason.
_AGAIN = "ON CONFLICT DO NOTHING"
_KEEP_PLAN = statement("decision_log/shipping/keep_plan.sql")
_ENSURE_MONTH = statement("decision_log/shipping/ensure_month.sql")

# SQLSTATE classes that a row causes: data exception, constraint, size limits.
_DATA_ERRORS = ("22", "23", "54")

_SAME_BEFORE = timedelta(days=31)
_SAME_AFTER = timedelta(days=8)
"""An id belongs to the first payment that used it, for at least this long before and after."""

_ROWS_AT_A_TIME = 64
_DAY_MS = 86_400_000

_AROUND = {"transactions": (-30, 0, 30), "decisions": (0, 30)}
"""Table -> days from the middle of a decision's month to the months whose partitions are made."""

_Month = tuple[str, int, int]
"""Table, year, month."""


class PostgresSink:
    """Writes records to PostgreSQL. Connects when first needed, and again after any failure."""

    def __init__(self, database_url: str, timeout_s: float = 30.0) -> None:
        self._url = database_url
        self._timeout_s = timeout_s
        self._session: Session | None = None
        self._waits_for_disk = True
        self._months: set[_Month] = set()
        self._plans: set[str] = set()

    async def insert(self, batches: Sequence[RecordBatch]) -> int:
        """See `RecordSink`."""
        try:
            arguments = await _arguments(batches)
            months = _months(batches)
            query = _within(_SHIP, batches)
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise RecordRefused(f"no columns: {type(error).__name__}") from error
        connection = await self._connected()
        try:
            await self._ensure(connection, months)
            await self._keep(connection, {batch.plan.digest: batch.plan for batch in batches})
            inserted = await self._ship(connection, query, arguments)
            return sum(map(len, batches)) - inserted
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if _is_data_error(error):
                raise RecordRefused(_code(error)) from error
            await self.close()
            raise StoreUnavailable(_reason(error)) from error
        except (OSError, TimeoutError, asyncpg.InternalClientError) as error:
            await self.close()
            raise StoreUnavailable(_reason(error)) from error
        except BaseException:
            # Cancelled midway: the state of the connection is unknown.
            self._drop()
            raise

    async def close(self) -> None:
        """See `RecordSink`."""
        session, self._session = self._session, None
        self._months.clear()
        self._plans.clear()
        if session is not None:
            await session.end(timeout_s=1)

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()

    async def _connected(self) -> Session:
        if self._session is not None and not self._session.is_closed():
            return self._session
        try:
            self._session = await connect(self._url, timeout_s=5, name="quorum-shipper")
            self._waits_for_disk = (
                await self._session.fetchval("SHOW synchronous_commit", timeout=self._timeout_s)
                != "off"
            )
        except Exception as error:  # a wrong URL included: no record is the cause of any of them
            self._drop()
            raise StoreUnavailable(_reason(error)) from error
        return self._session

    async def _ship(self, connection: Any, query: str, arguments: list[Any]) -> int:
        """Insert the rows that are not there. Returns how many."""
        try:
            return await self._insert(connection, query, arguments)
        except asyncpg.UniqueViolationError:  # nothing was inserted
            return await self._insert(connection, f"{query}{_AGAIN}", arguments)

    async def _insert(self, connection: Any, query: str, arguments: list[Any]) -> int:
        if self._waits_for_disk:
            tag = await connection.execute(query, *arguments, timeout=self._timeout_s)
            return _inserted(tag)
        # A segment is deleted once PostgreSQL has its rows, so a commit must wait for its disk.
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = on")
            tag = await connection.execute(query, *arguments, timeout=self._timeout_s)
        return _inserted(tag)

    async def _keep(self, connection: Any, plans: dict[str, PlanDocument]) -> None:
        """Keep plans before the decisions that name them: readers never miss one."""
        for digest in plans.keys() - self._plans:
            text = json.dumps(plans[digest].document)
            await connection.execute(_KEEP_PLAN, digest, text, timeout=self._timeout_s)
            self._plans.add(digest)

    async def _ensure(self, connection: Any, months: dict[_Month, int]) -> None:
        for month in months.keys() - self._months:
            table, at_ms = month[0], months[month]
            try:
                await connection.execute(_ENSURE_MONTH, table, at_ms, timeout=self._timeout_s)
            except asyncpg.PostgresError as error:
                if is_unfit(error):
                    raise
                # Not fatal: such rows land in the default partition.
                logger.warning("no partition of %s for %d-%02d: %s", *month, _code(error))
            self._months.add(month)


async def _arguments(batches: Sequence[RecordBatch]) -> list[Any]:
    """Return the arguments of `ship.sql`. Yields to the event loop at times: decisions are made on
    it."""
    gathered: list[list[Any]] = [[] for _ in range(N_COLUMNS)]
    rows = 0
    for batch in batches:
        for column, more in zip(gathered, columns(batch), strict=True):
            column += more
        rows += len(batch)
        if rows >= _ROWS_AT_A_TIME:
            rows = 0
            await asyncio.sleep(0)
    return [array_text(c) if n in AS_TEXT else c for n, c in enumerate(gathered, 1)]


def _months(batches: Sequence[RecordBatch]) -> dict[_Month, int]:
    """Return the partitions around the times of decisions, with a time in each.

    Our own clock makes partitions, never a client's timestamp. Most payments are within days of
    their decisions; others go to the default partition, or to one that `quorum load` has made.
    Partitions of the next month are made ahead."""
    wanted: dict[_Month, int] = {}
    for batch in batches:
        decided_at_ms = batch.decisions.decided_at_ms
        for table, months in _AROUND.items():
            for days in months:
                at_ms = _middle_ms(decided_at_ms) + days * _DAY_MS
                wanted[(table, *_month(at_ms))] = at_ms
    return wanted


def _middle_ms(at_ms: int) -> int:
    """Return the middle of a month: 30 days from there is in the next month."""
    year, month = _month(at_ms)
    return round(datetime(year, month, 15, tzinfo=UTC).timestamp() * 1000)


def _within(query: str, batches: Sequence[RecordBatch]) -> str:
    """Return the statement for some batches. Its text holds the months in which their ids may be on
    record already: see `Span`."""
    times_ms = [at_ms for batch in batches for at_ms in batch.transactions.timestamp_ms]
    first = _moment(min(times_ms)) - _SAME_BEFORE
    last = (_moment(max(times_ms)) + _SAME_AFTER).replace(day=15) + timedelta(days=30)
    since, until = day(first.replace(day=1)), day(last.replace(day=1))
    return query.replace("{since}", since).replace("{until}", until)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _month(at_ms: int) -> tuple[int, int]:
    return _month_of_day(at_ms // _DAY_MS)


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> tuple[int, int]:
    """Return the year and month of a day since 1970-01-01."""
    at = datetime.fromtimestamp(day * _DAY_MS // 1000, UTC)
    return at.year, at.month


def _inserted(tag: str) -> int:
    """Return the rows of a command's tag, `INSERT 0 <rows>`: those of `decisions`."""
    return int(tag.rpartition(" ")[2])


def _is_data_error(error: Exception) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return sqlstate(error).startswith(_DATA_ERRORS)
    # Raised before anything is sent, for an argument that does not fit its type.
    return isinstance(error, ValueError)


def _code(error: Exception) -> str:
    """Return a failure without PostgreSQL's own words, which can quote a row."""
    state = sqlstate(error)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, QuorumError) else reason(error)
