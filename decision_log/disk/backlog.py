"""The backlog: the entries of a folder's segments that are not shipped yet, in order."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

from decision_log.disk.frame import HEADER, find_frame, read_frame
from decision_log.disk.position import Position, load_position, save_position
from decision_log.disk.segment import SegmentName, move_file, read_around, segments
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)


class Backlog:
    """Reads each payload once, from where the last `commit` left off.

    A writer that dies may leave half a frame at the end. A segment with a successor was closed when
    all of it was durable: anything unreadable there is damage, as are blocks that the disk cannot
    read.

    Args:
        folder: holds the segments.
        aside: folder to which damaged segments are moved.
        live: whether the folder has a writer, which may append to its newest segment.
        keep: whether the folder is only read, and stays as it is.
    """

    def __init__(
        self, folder: Path, aside: Path, stats: LogStats, *, live: bool, keep: bool = False
    ) -> None:
        self._folder = folder
        self._aside = aside
        self._stats = stats
        self._live = live
        self._keep = keep
        self._read = self._committed = load_position(folder)
        self._open: SegmentName | None = None
        self._fd = -1
        self._ended: set[SegmentName] = set()
        """Read to their end since the last commit."""
        self._shipped: set[SegmentName] = set()
        """Read to their end and committed, to be removed."""
        self._damaged: set[SegmentName] = set()
        self._warned: set[str] = set()

    @property
    def number(self) -> int:
        """Number of the segment that the last payload came from."""
        return self._read.number

    def next(self) -> bytes | None:
        """Return the next payload, None if there is none: for good, or for now if live."""
        while self._open is not None or self._open_next():
            assert self._open is not None
            payload = self._frame()
            if payload is not None:
                return payload
            if self._live and not self._later():
                return None
            # Frames may have been appended before the folder was listed: read again.
            payload = self._frame() or self._after_damage()
            if payload is not None:
                return payload
            self._ended.add(self._open)
            self._shut()
        return None

    def commit(self) -> None:
        """Note that everything from `next` is shipped, and remove segments that are finished."""
        moved = self._read != self._committed
        self._committed = self._read
        self._shipped |= self._ended
        self._ended.clear()
        if self._keep:
            return
        for name in sorted(self._shipped):
            self._retire(name)
        # A later run that began after the damage would not see it, and would delete the file.
        if moved and self._open not in self._damaged:
            self._keep_position()

    def rewind(self) -> None:
        """Go back to the last `commit`."""
        self._shut()
        self._ended.clear()
        self._read = self._committed

    def is_empty(self) -> bool:
        """Return whether the folder holds no segment: all were read to their end and committed."""
        return not segments(self._folder)

    def close(self) -> None:
        """Close the open segment. Idempotent."""
        self._shut()

    def _keep_position(self) -> None:
        """Save the position if the disk permits: a lost one only costs time, and shipping on
        frees a full disk."""
        try:
            save_position(self._folder, self._committed)
        except OSError as error:
            self._warn(f"the position of {self._folder.name} is not saved", error)

    def _warn(self, problem: str, error: OSError) -> None:
        """Log a problem once: it would recur at every commit."""
        if problem not in self._warned:
            self._warned.add(problem)
            logger.warning("%s: %s", problem, error.strerror)

    def _frame(self) -> bytes | None:
        assert self._open is not None
        payload = read_frame(self._pread, self._read.offset, self._open.salt)
        if payload is not None:
            self._go_to(self._read.offset + HEADER.size + len(payload))
        return payload

    def _after_damage(self) -> bytes | None:
        """Return the next intact frame of a finished segment, None at its end."""
        assert self._open is not None
        size = os.fstat(self._fd).st_size
        lost = size - self._read.offset
        if lost <= 0:
            return None
        found = find_frame(self._pread, self._read.offset + 1, self._open.salt)
        if found is None and self._open not in self._damaged and not self._was_closed():
            logger.warning("%s ends in %d bytes that are not a record", self._open, lost)
            self._stats.torn_bytes += lost
            self._go_to(size)
            return None
        end = size if found is None else found
        lost = end - self._read.offset
        logger.error("%s: %d bytes at %d cannot be read", self._open, lost, self._read.offset)
        self._stats.damaged_bytes += lost
        self._damaged.add(self._open)
        self._go_to(end)
        return self._frame()

    def _was_closed(self) -> bool:
        """Return whether the writer of the open segment went on to the next one."""
        return any(name.number == self._read.number + 1 for name in self._later())

    def _pread(self, length: int, offset: int) -> bytes:
        try:
            return os.pread(self._fd, length, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        assert self._open is not None
        self._damaged.add(self._open)
        return read_around(self._fd, length, offset)

    def _go_to(self, offset: int) -> None:
        """Go on from `offset` of the open segment."""
        assert self._open is not None
        self._read = Position(self._open.number, offset, self._open.salt.hex())

    def _open_next(self) -> bool:
        """Open the first segment that is not read to its end. False if there is none."""
        for name in segments(self._folder):
            if name in self._ended or name in self._shipped:
                continue
            try:
                self._fd = os.open(self._folder / str(name), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # its writer gave it up while it was empty
                continue
            self._open = name
            if (self._read.number, self._read.salt) != (name.number, name.salt.hex()):
                self._go_to(0)
            return True
        return False

    def _later(self) -> list[SegmentName]:
        """Return the segments after the open one."""
        assert self._open is not None
        return [name for name in segments(self._folder) if name > self._open]

    def _shut(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._open = -1, None

    def _retire(self, name: SegmentName) -> None:
        """Remove a shipped segment, or leave that to the next commit: it is not read again."""
        path = self._folder / str(name)
        try:
            if name in self._damaged:
                self._aside.mkdir(parents=True, exist_ok=True)
                move_file(path, self._aside / f"{self._folder.name}-{name}.damaged")
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            self._warn(f"{self._folder.name}/{name} cannot be removed", error)
        else:
            self._shipped.discard(name)
