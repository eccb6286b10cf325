"""The shipper: takes a folder's backlog to the ledger, in order, and forgets it only then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from decision_log.disk.backlog import Backlog
from decision_log.disk.dead_letters import DeadLetter, DeadLetters
from decision_log.entry import decode, encode
from decision_log.shipping.ledger import Ledger, RecordRefused
from fraud.errors import StoreUnavailable
from fraud.record import RecordBatch
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 128


@dataclass(frozen=True, slots=True)
class Pace:
    """How a shipper goes.

    Attributes:
        max_rows: rows of one transaction on PostgreSQL, exceeded by less than one entry; each entry
            that cannot be read takes the place of one.
        linger_s: wait before a transaction that would not be full: what is appended meanwhile
            travels together, and shipping does not run into the answer that it comes from. A
            statement costs PostgreSQL, and us, as much as ten rows.
        busy_rows, busy_linger_s: the wait after a transaction of so many rows.
        retry_s, max_retry_s: first and longest wait after a failure; it doubles in between.
    """

    max_rows: int = 500
    linger_s: float = 0.1
    busy_rows: int = 32
    busy_linger_s: float = 0.25
    retry_s: float = 0.05
    max_retry_s: float = 5.0

    def linger_after(self, rows: int) -> float:
        """Seconds to wait after a transaction of so many rows, fewer than `max_rows`."""
        return self.busy_linger_s if rows >= self.busy_rows else self.linger_s


async def _as_read(records: RecordBatch) -> None:
    """Nothing is filled in."""


class Shipper:
    """Ships one backlog. One task at a time may run it."""

    def __init__(
        self,
        backlog: Backlog,
        ledger: Ledger,
        dead_letters: DeadLetters,
        stats: LogStats,
        pace: Pace | None = None,
        shipped: Callable[[int, RecordBatch], None] = lambda number, records: None,
        whole: Callable[[RecordBatch], Awaitable[None]] = _as_read,
    ) -> None:
        """`whole` fills in, for every entry that is read, what was known only once it was written;
        `shipped(segment number, records)` is called for every entry that has left the log."""
        self._backlog = backlog
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._stats = stats
        self._pace = pace or Pace()
        self._shipped = shipped
        self._whole = whole
        self._wake = asyncio.Event()
        self.failure: str | None = None
        """Why the last attempt failed, None if it did not."""

    def notify(self) -> None:
        """Something was appended."""
        self._wake.set()

    async def run(self) -> None:
        """Ship whatever comes, until cancelled."""
        while True:
            self._wake.clear()
            rows = await self.step()
            if not rows:
                await self._wake.wait()
            if rows < self._pace.max_rows:
                await asyncio.sleep(self._pace.linger_after(rows))

    async def drain(self) -> None:
        """Ship everything that is there now."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Ship one batch, however long it takes. Returns its rows, an unreadable entry counted as
        one; 0 if there was nothing."""
        delay_s = self._pace.retry_s
        while True:
            try:
                rows = await self._attempt()
                self.failure = None
                return rows
            except Exception as error:  # nothing may end the shipping but its owner
                self._failed(error)
            except BaseException:
                self._backlog.rewind()
                raise
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, self._pace.max_retry_s)

    async def _attempt(self) -> int:
        refused: list[DeadLetter] = []
        entries = await self._read(refused)
        unreadable = len(refused)
        rows = sum(len(records) for _, records in entries)
        if rows:
            await self._insert([records for _, records in entries], refused)
            self._stats.ship_batches += 1
        # Only now: an attempt that fails is made again, and would set them aside again.
        await self._dead_letters.put(refused)
        self._backlog.commit()
        self._stats.shipped_rows += rows - (len(refused) - unreadable)
        for number, records in entries:
            self._shipped(number, records)
        return rows + unreadable

    async def _read(self, refused: list[DeadLetter]) -> list[tuple[int, RecordBatch]]:
        """The next entries; of those that this code does not understand each counts as a row."""
        entries: list[tuple[int, RecordBatch]] = []
        rows = since_pause = 0
        while rows < self._pace.max_rows and (payload := self._backlog.next()) is not None:
            try:
                records = decode(payload)
            except ValueError as error:
                refused.append(DeadLetter(payload, str(error)))
                n = 1
            else:
                await self._whole(records)
                entries.append((self._backlog.number, records))
                n = len(records)
            rows += n
            since_pause += n
            if since_pause >= _ROWS_AT_A_TIME:
                # The loop is shared with those who decide: no batch may hold it for long.
                since_pause = 0
                await asyncio.sleep(0)
        return entries

    async def _insert(self, batches: list[RecordBatch], refused: list[DeadLetter]) -> None:
        """Insert all but those that the ledger refuses for good, which are found by halving."""
        try:
            await self._ledger.insert(batches)
        except RecordRefused as error:
            if len(batches) == 1 and len(batches[0]) == 1:
                (payload,) = encode(batches[0])
                refused.append(DeadLetter(payload, str(error.args[0])))
                return
            for half in _halves(batches):
                await self._insert(half, refused)

    def _failed(self, error: Exception) -> None:
        # From the last commit on everything is read again: nothing is held in memory meanwhile.
        self._backlog.rewind()
        self._stats.ship_errors += 1
        expected = isinstance(error, StoreUnavailable | OSError)
        if self.failure is None:
            why = str(error) if expected else type(error).__name__
            logger.error("decisions wait on this disk: %s", why, exc_info=not expected)
        self.failure = str(error) if expected else type(error).__name__


def _halves(batches: list[RecordBatch]) -> tuple[list[RecordBatch], list[RecordBatch]]:
    """Several batches in two parts, or the rows of one."""
    if len(batches) > 1:
        half = len(batches) // 2
        return batches[:half], batches[half:]
    (batch,) = batches
    half = len(batch) // 2
    return [batch.slice(0, half)], [batch.slice(half, len(batch))]
