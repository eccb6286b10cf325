"""The shipper: writes a folder's backlog to the record sink, in order, and only then forgets it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from itertools import count

from decision_log.disk.backlog import Backlog
from decision_log.disk.dead_letters import DeadLetter, DeadLetters
from decision_log.entry import decode, encode
from decision_log.shipping.sink import RecordRefused, RecordSink
from fraud.errors import StoreUnavailable
from fraud.record import RecordBatch
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 128


@dataclass(frozen=True, slots=True)
class ShipperConfig:
    """Sizes and waits of a shipper.

    Attributes:
        max_rows: rows of one transaction, exceeded by less than one entry. An entry that cannot be
            read counts as a row.
        linger_s: wait before a transaction that would not be full. Records that are appended
            meanwhile travel with it, and shipping keeps out of the way of the answer that it
            follows. A statement costs both ends as much as ten rows.
        busy_rows, busy_linger_s: the wait after a transaction of at least so many rows.
        retry_s, max_retry_s: first and longest wait after a failure; each wait doubles the last.
        attempts: how often a batch is tried before its failure is raised; None: for ever.
    """

    max_rows: int = 500
    linger_s: float = 0.1
    busy_rows: int = 32
    busy_linger_s: float = 0.25
    retry_s: float = 0.05
    max_retry_s: float = 5.0
    attempts: int | None = None

    def linger_after(self, rows: int) -> float:
        """Seconds to wait after a transaction of `rows`, which is less than `max_rows`."""
        return self.busy_linger_s if rows >= self.busy_rows else self.linger_s


Shipped = Callable[[int, RecordBatch, Set[str]], None]


def nothing_to_note(number: int, records: RecordBatch, refused: Set[str]) -> None:
    """Note nothing of what was shipped."""


async def _unchanged(records: RecordBatch) -> None:
    """Complete nothing."""


class Shipper:
    """Ships one backlog. Only one task at a time may run it.

    Args:
        backlog, sink: where records come from and go to.
        dead_letters: where records go that the sink refuses.
        shipped: called with (segment number, records, refused) for every entry that has left the
            log; `refused` are the ids of the decisions that were set aside, of any entry.
        complete: adds to an entry the values that are known only after it is written.
    """

    def __init__(
        self,
        backlog: Backlog,
        sink: RecordSink,
        dead_letters: DeadLetters,
        stats: LogStats,
        config: ShipperConfig | None = None,
        shipped: Shipped = nothing_to_note,
        complete: Callable[[RecordBatch], Awaitable[None]] = _unchanged,
    ) -> None:
        self._backlog = backlog
        self._sink = sink
        self._dead_letters = dead_letters
        self._stats = stats
        self._config = config or ShipperConfig()
        self._shipped = shipped
        self._complete = complete
        self._wake = asyncio.Event()
        self.failure: str | None = None
        """Why the last attempt failed, None if it did not."""

    def notify(self) -> None:
        """Note that records were appended."""
        self._wake.set()

    async def run(self) -> None:
        """Ship everything that is appended, until cancelled."""
        while True:
            self._wake.clear()
            rows = await self.step()
            if not rows:
                await self._wake.wait()
            if rows < self._config.max_rows:
                await asyncio.sleep(self._config.linger_after(rows))

    async def drain(self) -> None:
        """Ship everything that is there now."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Ship one batch; retry until it succeeds.

        Returns:
            Its rows, an unreadable entry counted as one; 0 if there was nothing to ship.

        Raises:
            Exception: that of the last of `ShipperConfig.attempts`. What was not shipped stays.
        """
        delay_s = self._config.retry_s
        for attempt in count(1):
            try:
                rows = await self._attempt()
                self.failure = None
                return rows
            except Exception as error:  # only its owner may end the shipping
                self._fail(error)
                if attempt == self._config.attempts:
                    raise
            except BaseException:
                self._backlog.rewind()
                raise
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, self._config.max_retry_s)
        raise AssertionError  # `count` does not end

    async def _attempt(self) -> int:
        refused: list[DeadLetter] = []
        entries = await self._read(refused)
        unreadable = len(refused)
        rows = sum(len(records) for _, records in entries)
        ids: set[str] = set()
        repeated = 0
        if rows:
            repeated = await self._insert([records for _, records in entries], refused, ids)
            self._stats.ship_batches += 1
        # Not earlier: a failed attempt is repeated, and would set them aside twice.
        await self._dead_letters.put(refused)
        self._backlog.commit()
        self._stats.shipped_rows += rows - len(ids)
        self._stats.repeated_rows += repeated
        for number, records in entries:
            self._shipped(number, records, ids)
        return rows + unreadable

    async def _read(self, refused: list[DeadLetter]) -> list[tuple[int, RecordBatch]]:
        """Return the next entries. Those that this code cannot decode are added to `refused`."""
        entries: list[tuple[int, RecordBatch]] = []
        rows = since_pause = 0
        while rows < self._config.max_rows and (payload := self._backlog.next()) is not None:
            try:
                records = decode(payload)
            except ValueError as error:
                refused.append(DeadLetter(payload, str(error)))
                n = 1
            else:
                await self._complete(records)
                entries.append((self._backlog.number, records))
                n = len(records)
            rows += n
            since_pause += n
            if since_pause >= _ROWS_AT_A_TIME:
                # Decisions are made on the same loop: no batch may hold it for long.
                since_pause = 0
                await asyncio.sleep(0)
        return entries

    async def _insert(
        self, batches: list[RecordBatch], refused: list[DeadLetter], ids: set[str]
    ) -> int:
        """Insert all records except those that the sink refuses, which are found by halving: they
        are added to `refused`, and to `ids`. Returns how many were there already."""
        try:
            return await self._sink.insert(batches)
        except RecordRefused as error:
            if len(batches) == 1 and len(batches[0]) == 1:
                (payload,) = encode(batches[0])
                refused.append(DeadLetter(payload, str(error.args[0])))
                ids.update(batches[0].decisions.decision_id)
                return 0
            return sum([await self._insert(half, refused, ids) for half in _halves(batches)])

    def _fail(self, error: Exception) -> None:
        # Everything since the last commit is read again: none of it is held in memory meanwhile.
        self._backlog.rewind()
        self._stats.ship_errors += 1
        expected = isinstance(error, StoreUnavailable | OSError)
        reason = str(error) if expected else type(error).__name__
        if self.failure is None:
            logger.error(
                "decisions cannot be shipped, they wait on this disk: %s",
                reason,
                exc_info=not expected,
            )
        self.failure = reason


def _halves(batches: list[RecordBatch]) -> tuple[list[RecordBatch], list[RecordBatch]]:
    """Return several batches in two parts, or the rows of one."""
    if len(batches) > 1:
        half = len(batches) // 2
        return batches[:half], batches[half:]
    (batch,) = batches
    half = len(batch) // 2
    return [batch.slice(0, half)], [batch.slice(half, len(batch))]
