"""The write-ahead log: an append returns when it is durable, and appends share syncs.

There is no timer: appends that arrive while a group is being synced form the next group, which
follows at once. A sync blocks, so a thread of its own does it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from decision_log.disk.frame import MAX_PAYLOAD_BYTES, SALT_BYTES, frame
from decision_log.disk.position import load_position
from decision_log.disk.segment import Segment, folder_bytes, segments
from fraud.errors import LogUnavailable
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)

MIB = 1024 * 1024
_PROBE_BYTES = MIB


@dataclass(frozen=True, slots=True)
class WalLimits:
    """Bounds of a write-ahead log.

    Attributes:
        segment_bytes: a segment is closed once it is this large. Removing a shipped one holds up
            the event loop, and with it decisions, for a third of a millisecond per MiB.
        log_bytes: largest size of the log, see `held`; beyond it records are refused. The disk is
            often PostgreSQL's own: a full disk would stop what empties the log.
        pending_bytes: largest size of the appends that wait for the disk.
        probe_interval_s: how often a log that refuses records tests whether the disk is back.
    """

    segment_bytes: int = 8 * MIB
    log_bytes: int = 8 * 1024 * MIB
    pending_bytes: int = 64 * MIB
    probe_interval_s: float = 0.25


@dataclass(frozen=True, slots=True)
class _Waiting:
    payloads: Sequence[bytes]
    done: asyncio.Future[None]


class Wal:
    """The write-ahead log of one folder, appended to from one event loop.

    Args:
        folder: exists and has no other writer.
        held: returns the size of the whole log in bytes, by default of this folder. It raises
            nothing but OSError.
    """

    def __init__(
        self,
        folder: Path,
        stats: LogStats,
        limits: WalLimits | None = None,
        randomness: Callable[[int], bytes] = os.urandom,
        held: Callable[[], int] | None = None,
    ) -> None:
        self._folder = folder
        self._stats = stats
        self._limits = limits or WalLimits()
        self._randomness = randomness
        self._held = held or partial(folder_bytes, folder)
        self._segment: Segment | None = None
        self._number = _last_number(folder)
        if self._number:
            # The gap shows readers that an earlier run ended here, perhaps in half a frame.
            self._number += 1
        self.first_number = self._number + 1
        """Segments with a lower number are those of an earlier run."""
        self._pending: list[_Waiting] = []
        self._pending_bytes = 0
        self._refused: str | None = None
        self._closing = False
        self._lock = threading.Lock()
        # Wakes the thread when an append begins to wait. Unlike a Condition, it is not Python code.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> str | None:
        """Why records are refused, None while they are accepted."""
        return self._refused

    async def append(self, payloads: Sequence[bytes]) -> None:
        """Return once all payloads are durable, together and in order.

        Raises:
            LogUnavailable: the disk is full or broken, too many records wait, or the log is closed.
                None of the payloads counts as written.
            ValueError: a payload is empty or longer than a frame holds.
        """
        if not payloads:
            return
        if not all(0 < len(p) <= MAX_PAYLOAD_BYTES for p in payloads):
            raise ValueError(f"a payload has 1 to {MAX_PAYLOAD_BYTES} bytes")
        n_bytes = sum(map(len, payloads))
        waiting = _Waiting(payloads, self._loop.create_future())
        with self._lock:
            self._check_open(n_bytes)
            self._pending.append(waiting)
            self._pending_bytes += n_bytes
            first = len(self._pending) == 1
        if first:
            self._bell.put(None)
        await waiting.done

    def _check_open(self, n_bytes: int) -> None:
        if self._closing:
            raise LogUnavailable("the decision log is closed")
        if self._refused is not None:
            raise LogUnavailable(f"the decision log accepts no records: {self._refused}")
        if self._pending and self._pending_bytes + n_bytes > self._limits.pending_bytes:
            raise LogUnavailable("the decision log: too many records wait for the disk")

    async def close(self) -> None:
        """Write what waits, then stop. Idempotent."""
        with self._lock:
            self._closing = True
        self._bell.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        while (group := self._take()) is not None:
            if group:
                self._answer(group, self._commit(group))
            else:
                self._probe()
        if self._segment is not None:
            self._segment.close()

    def _take(self) -> list[_Waiting] | None:
        """Return all appends that wait, [] when it is time to probe, None at the end."""
        while True:
            with self._lock:
                if self._pending:
                    group, self._pending, self._pending_bytes = self._pending, [], 0
                    return group
                if self._closing:
                    return None
            refused = self._refused is not None
            try:
                self._bell.get(timeout=self._limits.probe_interval_s if refused else None)
            except Empty:
                return []

    def _commit(self, group: list[_Waiting]) -> LogUnavailable | None:
        started = time.perf_counter()
        try:
            segment = self._segment or self._open()
            salt = segment.name.salt
            data = b"".join([frame(p, salt) for waiting in group for p in waiting.payloads])
            segment.append(data)
        except Exception as error:  # of any kind: the thread must go on
            return self._refuse(error)
        self._stats.commits += 1
        self._stats.commit_seconds += time.perf_counter() - started
        self._stats.appended_bytes += len(data)
        if segment.size >= self._limits.segment_bytes:
            segment.close()
            self._segment = None
        return None

    def _open(self) -> Segment:
        held = self._held()
        if held + self._limits.segment_bytes > self._limits.log_bytes:
            raise OSError(f"{held // MIB} MiB wait for PostgreSQL, the limit")
        self._number += 1
        self._segment = Segment(self._folder, self._number, self._randomness(SALT_BYTES))
        return self._segment

    def _refuse(self, error: Exception) -> LogUnavailable:
        """Refuse everything from here on, until a probe succeeds."""
        if self._segment is not None:
            self._segment.abandon()
            self._segment = None
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if self._refused is None:
            logger.error("the decision log accepts no records: %s", why)
        self._refused = why
        return LogUnavailable(f"the decision log accepts no records: {why}")

    def _probe(self) -> None:
        try:
            self._open().require_room(_PROBE_BYTES)
        except Exception as error:
            self._refuse(error)
            return
        logger.warning("the decision log accepts records again")
        self._refused = None

    def _answer(self, group: list[_Waiting], error: LogUnavailable | None) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, group, error)
        except RuntimeError:
            logger.warning("the decision log: the event loop ended before its appends")


def _last_number(folder: Path) -> int:
    """Return the highest number known from an earlier run, 0 if there was none."""
    return max([load_position(folder).number, *(name.number for name in segments(folder))])


def _resolve(group: list[_Waiting], error: LogUnavailable | None) -> None:
    for waiting in group:
        if waiting.done.done():  # its caller was cancelled
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(LogUnavailable(*error.args))
