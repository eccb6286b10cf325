"""The shipper: takes a folder's backlog to the ledger, in order, and forgets it only then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from deployments.audit.backlog import Backlog
from deployments.audit.dead_letters import DeadLetters
from deployments.audit.entry import decode, encode
from deployments.audit.ledger import Ledger, RecordRefused
from deployments.audit.stats import LogStats
from fraud.errors import StoreUnavailable
from fraud.record import DecisionRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a shipper goes.

    Attributes:
        max_rows: rows of one transaction on PostgreSQL, exceeded by less than one entry.
        linger_s: wait before a transaction that would not be full: what is appended meanwhile
            travels together, and shipping does not run into the answer that it comes from.
        retry_s, max_retry_s: first and longest wait after a failure; it doubles in between.
    """

    max_rows: int = 500
    linger_s: float = 0.05
    retry_s: float = 0.05
    max_retry_s: float = 5.0


@dataclass(frozen=True, slots=True)
class _Refused:
    """What the ledger will never have: a record, or an entry that this code cannot read."""

    payload: bytes
    why: str
    is_record: bool


class Shipper:
    """Ships one backlog. One task at a time may run it."""

    def __init__(
        self,
        backlog: Backlog,
        ledger: Ledger,
        dead_letters: DeadLetters,
        stats: LogStats,
        pace: Pace | None = None,
        shipped: Callable[[int, list[DecisionRecord]], None] = lambda number, records: None,
    ) -> None:
        """`shipped(segment number, records)` is called for every entry that has left the log."""
        self._backlog = backlog
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._stats = stats
        self._pace = pace or Pace()
        self._shipped = shipped
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
                await asyncio.sleep(self._pace.linger_s)

    async def drain(self) -> None:
        """Ship everything that is there now."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Ship one batch, however long it takes. Returns its rows, 0 if there was nothing."""
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
        refused: list[_Refused] = []
        entries = await self._read(refused)
        records = [record for _, of_entry in entries for record in of_entry]
        if records:
            await self._insert(records, refused)
            self._stats.ship_batches += 1
        # Only now: an attempt that fails is made again, and would set them aside again.
        for dead in refused:
            self._dead_letters.put(dead.payload, dead.why)
        self._backlog.commit()
        self._stats.shipped_rows += len(records) - sum(dead.is_record for dead in refused)
        for number, of_entry in entries:
            self._shipped(number, of_entry)
        return len(records)

    async def _read(self, refused: list[_Refused]) -> list[tuple[int, list[DecisionRecord]]]:
        entries: list[tuple[int, list[DecisionRecord]]] = []
        rows = 0
        while rows < self._pace.max_rows and (payload := self._backlog.next()) is not None:
            try:
                records = decode(payload)
            except ValueError as error:
                refused.append(_Refused(payload, str(error), is_record=False))
                continue
            entries.append((self._backlog.number, records))
            rows += len(records)
            # The loop is shared with those who decide: no batch may hold it for long.
            await asyncio.sleep(0)
        return entries

    async def _insert(self, records: list[DecisionRecord], refused: list[_Refused]) -> None:
        """Insert all but those that the ledger refuses for good, which are found by halving."""
        try:
            await self._ledger.insert(records)
        except RecordRefused as error:
            if len(records) == 1:
                (payload,) = encode(records)
                refused.append(_Refused(payload, str(error.args[0]), is_record=True))
                return
            half = len(records) // 2
            await self._insert(records[:half], refused)
            await self._insert(records[half:], refused)

    def _failed(self, error: Exception) -> None:
        # From the last commit on everything is read again: nothing is held in memory meanwhile.
        self._backlog.rewind()
        self._stats.ship_errors += 1
        expected = isinstance(error, StoreUnavailable | OSError)
        if self.failure is None:
            why = str(error) if expected else type(error).__name__
            logger.error("decisions wait on this disk: %s", why, exc_info=not expected)
        self.failure = str(error) if expected else type(error).__name__
