"""The decision log of one writer: records are made durable, then shipped to PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Final

from decision_log.arrivals import Arrivals
from decision_log.disk.backlog import Backlog
from decision_log.disk.claim import Claim, claim
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.segment import ASIDE, folder_bytes, sync_folder, writers_bytes
from decision_log.disk.wal import Wal, WalLimits
from decision_log.entry import encode
from decision_log.lag import Lag
from decision_log.orphans import Orphans
from decision_log.shipping.postgres_sink import PostgresSink
from decision_log.shipping.shipper import Shipper, ShipperConfig
from decision_log.write_times import WriteTimes
from fraud.errors import LogUnavailable
from fraud.record import RecordBatch
from stores.poll import Poll
from telemetry import metrics
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)

_CLAIM_TIMEOUT_S = 10.0
_METRICS_S = 1.0

LONGEST_DATABASE_WAIT_S: Final = 0.5
"""Longest wait for PostgreSQL before an answer. An insert takes a few milliseconds, and one behind
a checkpoint a few hundred; a failover takes seconds, for which no checkout waits. Features and
votes before it, which take a second at worst, leave this much of `QUORUM_REQUEST_TIMEOUT_MS`."""
_PROMPT: Final = ShipperConfig(linger_s=0.0, busy_linger_s=0.0, max_retry_s=1.0)
"""Answers wait for the shipper. Micro-batches that arrive during a transaction share the next."""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class DecisionLog:
    """A decision log. Call it from one event loop, between `start` and `close`.

    Args:
        root: folder of all writers of this machine, e.g. `.quorum/wal`. It must outlive them.
        database_url: PostgreSQL, where records go. It need not be up.
        owner: name of this writer, unique among those alive; it names the folder under `root`.
        limits, shipper: see WalLimits and ShipperConfig.
        database_wait_s: longest wait in `reach_database`; 0: no answer waits, and records are
            shipped a little later, many at once.
        orphans_s: time between two searches for dead writers.
        now_ms: milliseconds since the epoch, for the age of what waits.
    """

    def __init__(
        self,
        root: Path,
        database_url: str,
        owner: str,
        *,
        limits: WalLimits | None = None,
        shipper: ShipperConfig | None = None,
        database_wait_s: float = 0.0,
        orphans_s: float = 15.0,
        now_ms: Callable[[], int] = _wall_ms,
    ) -> None:
        if Path(owner).name != owner or owner in ("", ".", "..", ASIDE):
            raise ValueError(f"{owner!r} cannot name a folder")
        self._root = root
        self._folder = root / owner
        self._limits = limits
        self._config = shipper or (_PROMPT if database_wait_s else ShipperConfig())
        self._database_wait_s = database_wait_s
        self._now_ms = now_ms
        self._arrivals = Arrivals()
        self._behind = False
        self._behind_since_ms = 0
        self._wal: Wal | None = None
        self._times = WriteTimes()
        self.stats = LogStats()
        self._sinks = PostgresSink(database_url), PostgresSink(database_url)
        orphans = Orphans(root, self._folder, self._sinks[1], self.stats, self._config)
        self._polls = (
            Poll("the search for logs of dead writers", orphans.sweep, orphans_s),
            Poll("decision-log-metrics", self._publish, _METRICS_S),
        )

    async def start(self) -> None:
        """Claim the folder, begin to ship what earlier runs and dead writers left, accept records.

        Raises:
            LogUnavailable: the folder cannot be made, or another process holds it.
        """
        try:
            self._claim = await self._claim_folder()
            # A segment is durable in its folder; the folder must be so in its own.
            for folder in (self._root, self._root.parent):
                sync_folder(folder)
        except OSError as error:
            raise LogUnavailable(f"the decision log: {error.strerror}") from error
        # The records of dead writers count too: a restart must not raise the limit.
        held = partial(writers_bytes, self._root)
        self._wal = Wal(self._folder, self.stats, self._limits, held=held)
        self._dead_letters = DeadLetters(self._root, self.stats)
        self._backlog = Backlog(self._folder, self._root / ASIDE, self.stats, live=True)
        self._shipper = self._shipper_of(self._backlog)
        self._shipping = asyncio.create_task(self._shipper.run(), name="decision-log-shipper")
        self._shipping.add_done_callback(_report_end)
        for poll in self._polls:
            poll.start()

    async def append(self, batches: Sequence[RecordBatch]) -> None:
        """Return once all records are durable. Only then may their decisions be returned.

        Raises:
            LogUnavailable: the records are not durable: withhold the decisions.
        """
        if self._wal is None:
            raise LogUnavailable("the decision log has not been started")
        rows = sum(map(len, batches))
        waits = bool(rows and self._database_wait_s and not self._behind)
        if waits:
            self._arrivals.expect(batches)
        written = [self._times.begin(records) for records in batches]
        try:
            await self._wal.append([entry for records in batches for entry in encode(records)])
        except LogUnavailable:
            self.stats.refused_rows += rows
            for records in batches:
                self._times.forget(records)
            if waits:
                self._arrivals.forget(batches)
            raise
        except asyncio.CancelledError:
            if waits:
                self._arrivals.forget(batches)
            raise
        finally:
            for event in written:
                event.set()
        if not self._waiting_rows():
            self._behind_since_ms = self._now_ms()
        self.stats.appended_rows += rows
        self._shipper.notify()

    async def reach_database(self, batches: Sequence[RecordBatch]) -> bool:
        """Wait until the records of the last `append` are in PostgreSQL, for `database_wait_s`.

        After a wait in vain, no answer waits until the shipper has caught up: decisions go on
        without PostgreSQL, as fast as before.

        Args:
            batches: as given to `append`.

        Returns:
            Whether they are. If not, this machine's disk alone may hold them, until they are
            shipped.
        """
        if not self._arrivals.are_expected(batches):
            # Appended while no answer waited: this says nothing of PostgreSQL now.
            return False
        arrived = await self._arrivals.wait(batches, self._database_wait_s)
        if arrived is None and not self._behind:
            self._behind = True
            logger.error("decisions are answered from this machine's disk alone: %s", self._why())
        return bool(arrived)

    def _why(self) -> str:
        """Return why PostgreSQL has not got the records in time."""
        failure = None if self._wal is None else self._shipper.failure
        return failure or f"PostgreSQL took longer than {self._database_wait_s:g} s"

    async def close(self, *, drain: bool = True, timeout_s: float = 10.0) -> None:
        """Accept no more records; with `drain`, ship what is left for at most `timeout_s`.

        What cannot be shipped stays for the next run or another writer. Idempotent.
        """
        if self._wal is None:
            return
        await self._wal.close()
        self._wal = None
        self._shipping.cancel()
        await asyncio.gather(
            self._shipping, *(poll.close() for poll in self._polls), return_exceptions=True
        )
        empty = drain and await self._drain(timeout_s)
        for sink in self._sinks:
            await sink.close()
        self._dead_letters.close()
        self._backlog.close()
        await self._publish()
        if empty:
            self._remove()
        self._claim.release()

    @property
    def alive(self) -> bool:
        """Whether it still looks for dead writers and keeps its metrics up to date."""
        return all(poll.alive for poll in self._polls)

    def lag(self) -> Lag:
        """How far PostgreSQL is behind, and whether records are accepted."""
        rows = self._waiting_rows()
        refused = "not started" if self._wal is None else self._wal.refused
        failure = None if self._wal is None else self._shipper.failure
        return Lag(
            rows=rows,
            at_risk_rows=max(0, rows - self._arrivals.rows),
            bytes=folder_bytes(self._folder) if self._folder.is_dir() else 0,
            seconds=max(0.0, (self._now_ms() - self._behind_since_ms) / 1000) if rows else 0.0,
            healthy=refused is None,
            shipping=failure is None,
            reason=refused or failure,
            exposed=self._why() if self._behind else failure,
        )

    async def _publish(self) -> None:
        self.stats.publish()
        lag = self.lag()
        metrics.LOG_LAG_ROWS.set(lag.rows)
        metrics.LOG_AT_RISK_ROWS.set(lag.at_risk_rows)
        metrics.LOG_LAG_BYTES.set(lag.bytes)
        metrics.LOG_LAG_SECONDS.set(lag.seconds)

    def _waiting_rows(self) -> int:
        return max(0, self.stats.appended_rows - self.stats.own_shipped_rows)

    def _shipper_of(self, backlog: Backlog) -> Shipper:
        return Shipper(
            backlog,
            self._sinks[0],
            self._dead_letters,
            self.stats,
            self._config,
            shipped=self._note_shipped,
            complete=self._times.fill_in,
        )

    def _note_shipped(self, number: int, records: RecordBatch, refused: Set[str]) -> None:
        self._times.forget(records)
        self._arrivals.note(records, refused)
        if self._wal is not None and number < self._wal.first_number:
            return  # left by an earlier run: not among the appended
        self.stats.own_shipped_rows += len(records)
        self._behind_since_ms = records.decisions.decided_at_ms
        if self._behind and self._waiting_rows() <= self._config.max_rows:
            # What is appended from here on is in the next transaction.
            self._behind = False
            logger.warning("records reach PostgreSQL before the answers again")

    async def _claim_folder(self) -> Claim:
        """Claim the own folder. Another writer may be shipping it, taking it for a dead one's."""
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

    async def _drain(self, timeout_s: float) -> bool:
        """Ship what is left. Returns whether that was all."""
        backlog = Backlog(self._folder, self._root / ASIDE, self.stats, live=False)
        try:
            async with asyncio.timeout(timeout_s):
                await self._shipper_of(backlog).drain()
        except TimeoutError:
            logger.warning("decisions wait in %s for the next run", self._folder)
            return False
        finally:
            backlog.close()
        return backlog.is_empty()


def _report_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("%s ended", task.get_name(), exc_info=task.exception())
