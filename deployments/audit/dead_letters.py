"""Dead letters: records that PostgreSQL will not have, kept for somebody to look at.

They are segments like any other. Once the cause is gone, moving one into a new folder beside the
writers' folders has it shipped like an orphan's.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from deployments.audit.frame import SALT_BYTES, frame
from deployments.audit.segment import Segment
from deployments.audit.stats import LogStats

logger = logging.getLogger(__name__)

FOLDER = "dead-letters"


class DeadLetters:
    """Writes dead letters into a file of its own, made when the first one comes, and made anew
    when somebody has moved it away."""

    def __init__(self, root: Path, stats: LogStats) -> None:
        """`root`: the folder that holds the writers' folders."""
        self.folder = root / FOLDER
        self._stats = stats
        self._segment: Segment | None = None

    def put(self, payload: bytes, why: str) -> None:
        """Set an entry aside, durably. `why` holds no values of its records.

        Raises:
            OSError: the disk will not have them either.
        """
        path = self._write(payload)
        # Whoever moves the file to have it shipped may do so in the middle of a write: then what
        # was written may be gone with it.
        while not path.exists():
            path = self._write(payload)
        self._stats.dead_letters += 1
        logger.error("a record set aside in %s: %s", path, why)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _write(self, payload: bytes) -> Path:
        """Append an entry to the file, and where that was."""
        segment = self._in_place()
        try:
            segment.append(frame(payload, segment.name.salt))
        except OSError:
            segment.abandon()
            self._segment = None
            raise
        return segment.path

    def _in_place(self) -> Segment:
        """The file, a new one if that of before has been moved away: it is no longer ours."""
        if self._segment is not None and not self._segment.path.exists():
            self.close()
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = time.time_ns() // 1_000_000 % 10**12
            self._segment = Segment(self.folder, number, os.urandom(SALT_BYTES))
        return self._segment
