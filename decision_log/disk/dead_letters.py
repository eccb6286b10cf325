"""Dead letters: records that PostgreSQL refuses for good, kept for a person to look at.

They are segments like any other. Once the cause is gone, move one into a new folder beside the
writers' folders, and it is shipped like that of a dead writer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from decision_log.disk.backlog import Backlog
from decision_log.disk.frame import SALT_BYTES, frame
from decision_log.disk.segment import ASIDE, Segment
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that cannot be shipped. `reason` holds no values of its records."""

    payload: bytes
    reason: str


class DeadLetters:
    """Writes dead letters to a file of its own. The file is made for the first one, and again when
    it has been moved away.

    Args:
        root: the folder that holds the writers' folders.
        once: do not write what an earlier file holds: the same log may be shipped again.
    """

    def __init__(self, root: Path, stats: LogStats, *, once: bool = False) -> None:
        self.folder = root / ASIDE
        self._stats = stats
        self._once = once
        self._segment: Segment | None = None
        # A write whose caller was cancelled goes on in its thread while others begin.
        self._lock = threading.Lock()

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Write entries durably, with one sync in a thread.

        Raises:
            OSError: they cannot be written.
        """
        if not letters:
            return
        path = await asyncio.to_thread(self._write, [letter.payload for letter in letters])
        self._stats.dead_letters += len(letters)
        for reason, times in Counter(letter.reason for letter in letters).items():
            logger.error("%d set aside in %s: %s", times, path, reason)

    def holds(self) -> set[bytes]:
        """Return the payloads that are in the folder."""
        if not self.folder.is_dir():
            return set()
        kept = Backlog(self.folder, self.folder, LogStats(), live=True, keep=True)
        try:
            return set(iter(kept.next, None))
        finally:
            kept.close()

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._shut()

    def _write(self, payloads: Sequence[bytes]) -> Path:
        """Append entries to the file. Returns its path."""
        with self._lock:
            if self._once:
                held = self.holds()
                payloads = [p for p in dict.fromkeys(payloads) if p not in held]
                if not payloads:
                    return self.folder
            path = self._append(payloads)
            # The file may be moved away in the middle of a write, and be shipped without it.
            while not path.exists():
                path = self._append(payloads)
            return path

    def _append(self, payloads: Sequence[bytes]) -> Path:
        segment = self._current()
        try:
            segment.append(b"".join([frame(p, segment.name.salt) for p in payloads]))
        except OSError:
            segment.abandon()
            self._segment = None
            raise
        return segment.path

    def _current(self) -> Segment:
        """Return the file; a new one if the last was moved away, as it is no longer ours."""
        if self._segment is not None and not self._segment.path.exists():
            self._shut()
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = time.time_ns() // 1_000_000 % 10**12
            self._segment = Segment(self.folder, number, os.urandom(SALT_BYTES))
        return self._segment

    def _shut(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None
