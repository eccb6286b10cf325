"""The backlog: what lies in a folder's segments and is not shipped yet, in order."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from deployments.audit.frame import HEADER, find_frame, read_frame
from deployments.audit.position import Position, load_position, save_position
from deployments.audit.segment import SegmentName, segments
from deployments.audit.stats import LogStats

logger = logging.getLogger(__name__)


class Backlog:
    """Reads payloads once each, from where the last `commit` left off.

    A folder that is `live` has a writer: the end of its newest segment is not the end of it.

    A writer that dies may leave half a frame at the end. A segment that the next number follows was
    closed when all of it was durable: what cannot be read there is damage.
    """

    def __init__(self, folder: Path, aside: Path, stats: LogStats, *, live: bool) -> None:
        """`aside`: the folder into which damaged segments are moved, on the same file system."""
        self._folder = folder
        self._aside = aside
        self._stats = stats
        self._live = live
        self._read = self._committed = load_position(folder)
        self._open: SegmentName | None = None
        self._fd = -1
        self._damaged: set[int] = set()
        self._swept_to = -1
        self._kept = True

    @property
    def number(self) -> int:
        """Number of the segment that the last payload came from."""
        return self._read.number

    def next(self) -> bytes | None:
        """The next payload; None if there is none for now (for good, unless live)."""
        while self._open is not None or self._open_next():
            assert self._open is not None
            payload = self._frame()
            if payload is not None:
                return payload
            sealed = not self._live or self._successor() is not None
            if not sealed:
                return None
            # Frames may have come between the read and the look at the folder: read again.
            payload = self._frame() or self._after_damage()
            if payload is not None:
                return payload
            self._shut()
            successor = self._successor()
            if successor is None:
                return None
            self._read = Position(successor.number, 0)
        return None

    def commit(self) -> None:
        """Everything that `next` gave is shipped: remember it and remove what is done with."""
        if self._read == self._committed:
            return
        self._committed = self._read
        self._keep_position()
        if self._swept_to == self._read.number:
            return
        for name in segments(self._folder):
            if name.number < self._read.number:
                self._retire(name)
        self._swept_to = self._read.number

    def _keep_position(self) -> None:
        """A position that is lost costs time and no more, and a disk that is too full for it is
        emptied by going on."""
        try:
            save_position(self._folder, self._committed)
            self._kept = True
        except OSError as error:
            if self._kept:
                logger.warning("the position of %s is not kept: %s", self._folder.name, error)
            self._kept = False

    def rewind(self) -> None:
        """Give everything since the last `commit` again."""
        self._shut()
        self._read = self._committed

    def retire_all(self) -> None:
        """Remove the segments of a folder without a writer of which everything is committed."""
        self._shut()
        for name in segments(self._folder):
            self._retire(name)

    def close(self) -> None:
        """Close the open segment. Idempotent."""
        self._shut()

    def _frame(self) -> bytes | None:
        assert self._open is not None
        payload = read_frame(self._pread, self._read.offset, self._open.salt)
        if payload is not None:
            end = self._read.offset + HEADER.size + len(payload)
            self._read = Position(self._read.number, end)
        return payload

    def _after_damage(self) -> bytes | None:
        """The first intact frame of a sealed segment after bytes that are none, None at its end."""
        assert self._open is not None
        size = os.fstat(self._fd).st_size
        lost = size - self._read.offset
        if lost <= 0:
            return None
        found = find_frame(self._pread, self._read.offset + 1, self._open.salt)
        if found is None and not self._was_closed():
            logger.warning("%s ends in %d bytes of no record", self._open, lost)
            self._stats.torn_bytes += lost
            self._read = Position(self._read.number, size)
            return None
        end = size if found is None else found
        lost = end - self._read.offset
        logger.error("%s: %d bytes at %d cannot be read", self._open, lost, self._read.offset)
        self._stats.damaged_bytes += lost
        self._damaged.add(self._open.number)
        self._read = Position(self._read.number, end)
        return self._frame()

    def _was_closed(self) -> bool:
        """Whether the open segment's own writer went on to the next one."""
        successor = self._successor()
        return successor is not None and successor.number == self._read.number + 1

    def _pread(self, length: int, offset: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def _open_next(self) -> bool:
        """Open the first segment that is not behind us; False if there is none."""
        for name in segments(self._folder):
            if name.number < self._read.number:
                continue
            try:
                self._fd = os.open(self._folder / str(name), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # a writer gave it up before anything was in it
                continue
            self._open = name
            if name.number != self._read.number:
                self._read = Position(name.number, 0)
            return True
        return False

    def _successor(self) -> SegmentName | None:
        later = (n for n in segments(self._folder) if n.number > self._read.number)
        return next(later, None)

    def _shut(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._open = -1, None

    def _retire(self, name: SegmentName) -> None:
        path = self._folder / str(name)
        if name.number in self._damaged:
            self._aside.mkdir(parents=True, exist_ok=True)
            os.replace(path, self._aside / f"{self._folder.name}-{name}.damaged")
        else:
            path.unlink(missing_ok=True)
