"""The decision log of one writer: what it has appended is durable, and on its way to PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from decision_log.disk.backlog import Backlog
from decision_log.disk.claim import Claim, claim
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.segment import ASIDE, folder_bytes, sync_folder, writers_bytes
from decision_log.disk.wal import Wal, WalLimits
from decision_log.entry import encode
from decision_log.lag import Lag
from decision_log.orphans import Orphans
from decision_log.shipping.ledger import PostgresLedger
from decision_log.shipping.shipper import Pace, Shipper
from decision_log.times import WriteTimes
from fraud.errors import LogUnavailable
from fraud.record import RecordBatch
from stores.poll import Poll
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)

_CLAIM_TIMEOUT_S = 10.0


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class DecisionLog:
    """A decision log. Call it from one event loop; between `start` and `close`.

    Args:
        root: folder of all writers of this machine, e.g. `.quorum/wal`. It must outlive them.
        database_url: PostgreSQL, where records go. It need not be up.
        owner: name of this writer, unique among those alive; it names the folder under `root`.
        limits, pace, orphans_s: see WalLimits and Pace; how often dead writers are looked for.
        now_ms: milliseconds since the epoch, for the age of what waits.
    """

    def __init__(
        self,
        root: Path,
        database_url: str,
        owner: str,
        *,
        limits: WalLimits | None = None,
        pace: Pace | None = None,
        orphans_s: float = 15.0,
        now_ms: Callable[[], int] = _wall_ms,
    ) -> None:
        if Path(owner).name != owner or owner in ("", ".", "..", ASIDE):
            raise ValueError(f"{owner!r} cannot name a folder")
        self._root = root
        self._folder = root / owner
        self._url = database_url
        self._limits = limits
        self._pace = pace or Pace()
        self._orphans_s = orphans_s
        self._now_ms = now_ms
        self._behind_since_ms = 0
        self._wal: Wal | None = None
        self._times = WriteTimes()
        self.stats = LogStats()

    async def start(self) -> None:
        """Claim the folder, take up what an earlier run or dead neighbours left, take records.

        Raises:
            LogUnavailable: the folder cannot be made, or another process holds it.
        """
        try:
            self._claim = await self._claimed()
            # Segments are durable in their folder, and that must be in its own.
            for folder in (self._root, self._root.parent):
                sync_folder(folder)
        except OSError as error:
            raise LogUnavailable(f"the decision log: {error.strerror}") from error
        # What dead writers left is on the disk, too: a restart must not make room.
        held = partial(writers_bytes, self._root)
        self._wal = Wal(self._folder, self.stats, self._limits, held=held)
        self._ledgers = [PostgresLedger(self._url), PostgresLedger(self._url)]
        self._dead_letters = DeadLetters(self._root, self.stats)
        self._backlog = Backlog(self._folder, self._root / ASIDE, self.stats, live=True)
        self._shipper = Shipper(
            *(self._backlog, self._ledgers[0], self._dead_letters, self.stats, self._pace),
            *(self._gone, self._times.fill_in),
        )
        orphans = Orphans(self._root, self._folder, self._ledgers[1], self.stats, self._pace)
        self._shipping = _watched(self._shipper.run(), "decision-log-shipper")
        self._sweeping = Poll(
            "the sweep for orphaned decision logs", orphans.sweep, self._orphans_s
        )
        self._sweeping.start()

    async def append(self, records: RecordBatch) -> None:
        """Return once the records are durable. Only then may their decisions be told.

        Raises:
            LogUnavailable: they are not, and must not be told.
        """
        if self._wal is None:
            raise LogUnavailable("the decision log has not been started")
        written = self._times.begin(records)
        try:
            await self._wal.append(encode(records))
        except LogUnavailable:
            self.stats.refused_rows += len(records)
            self._times.forget(records)
            raise
        finally:
            written.set()
        if not self._waiting_rows():
            self._behind_since_ms = self._now_ms()
        self.stats.appended_rows += len(records)
        self._shipper.notify()

    async def close(self, *, drain: bool = True, timeout_s: float = 10.0) -> None:
        """Stop taking records; with `drain`, ship what is left for at most `timeout_s`.

        What cannot be shipped stays, for the next run or a neighbour. Idempotent.
        """
        if self._wal is None:
            return
        await self._wal.close()
        self._wal = None
        self._shipping.cancel()
        await asyncio.gather(self._shipping, self._sweeping.close(), return_exceptions=True)
        empty = drain and await self._drained(timeout_s)
        for ledger in self._ledgers:
            await ledger.close()
        self._dead_letters.close()
        self._backlog.close()
        if empty:
            self._remove()
        self._claim.release()

    def lag(self) -> Lag:
        """How far PostgreSQL is behind, and whether records are taken."""
        rows = self._waiting_rows()
        refused = "not started" if self._wal is None else self._wal.refused
        failure = None if self._wal is None else self._shipper.failure
        return Lag(
            rows=rows,
            bytes=folder_bytes(self._folder) if self._folder.is_dir() else 0,
            seconds=max(0.0, (self._now_ms() - self._behind_since_ms) / 1000) if rows else 0.0,
            healthy=refused is None,
            shipping=failure is None,
            reason=refused or failure,
        )

    def _waiting_rows(self) -> int:
        return max(0, self.stats.appended_rows - self.stats.own_shipped_rows)

    def _gone(self, number: int, records: RecordBatch) -> None:
        self._times.forget(records)
        if self._wal is not None and number < self._wal.first_number:
            return  # left by an earlier run: not among the appended
        self.stats.own_shipped_rows += len(records)
        self._behind_since_ms = records.decisions.decided_at_ms

    async def _claimed(self) -> Claim:
        """Our folder. One that has just died may still be in the hands of a neighbour."""
        deadline = time.monotonic() + _CLAIM_TIMEOUT_S
        while True:
            found = claim(self._folder, create=True)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise LogUnavailable(f"another process holds {self._folder.name}")
            await asyncio.sleep(0.05)

    def _remove(self) -> None:
        try:
            self._claim.remove()
        except OSError as error:
            logger.warning("%s stays: %s", self._folder, error.strerror)

    async def _drained(self, timeout_s: float) -> bool:
        backlog = Backlog(self._folder, self._root / ASIDE, self.stats, live=False)
        shipper = Shipper(
            *(backlog, self._ledgers[0], self._dead_letters, self.stats, self._pace),
            *(self._gone, self._times.fill_in),
        )
        try:
            async with asyncio.timeout(timeout_s):
                await shipper.drain()
        except TimeoutError:
            logger.warning("decisions wait in %s for the next run", self._folder)
            return False
        finally:
            backlog.close()
        return backlog.is_empty()


def _watched(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("%s ended", task.get_name(), exc_info=task.exception())
