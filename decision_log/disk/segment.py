"""Segments: append-only files of frames, numbered, each written by one writer once."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from decision_log.disk.frame import SALT_BYTES

ASIDE = "dead-letters"
"""The folder, beside those of the writers, of entries that could not be shipped."""

_NAME = re.compile(r"(\d{12})-([0-9a-f]{8})\.wal")

_BLOCK_BYTES = 4096
"""The unit in which a disk loses data."""

# macOS has no fdatasync.
sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True, order=True)
class SegmentName:
    """Number and salt of a segment, which make up the name of its file. Numbers are in the order of
    writing, from 1; each run of a writer skips one before its first."""

    number: int
    salt: bytes

    def __str__(self) -> str:
        return f"{self.number:012d}-{self.salt.hex()}.wal"

    @classmethod
    def parse(cls, name: str) -> SegmentName | None:
        """Return the parsed name, None if it is not that of a segment."""
        match = _NAME.fullmatch(name)
        return match and cls(int(match[1]), bytes.fromhex(match[2]))


def segments(folder: Path) -> list[SegmentName]:
    """Return the segments in a folder, oldest first; by name where
    files that were put together by hand share a number."""
    found = (SegmentName.parse(name) for name in os.listdir(folder))
    return sorted(s for s in found if s is not None)


def read_around(fd: int, length: int, offset: int) -> bytes:
    """Return up to `length` bytes at `offset`, with zeros for blocks that the disk cannot read:
    frames after them are found."""
    end = min(offset + length, os.fstat(fd).st_size)
    parts = []
    while offset < end:
        n = min(end, (offset // _BLOCK_BYTES + 1) * _BLOCK_BYTES) - offset
        try:
            parts.append(os.pread(fd, n, offset))
        except OSError:
            parts.append(bytes(n))
        offset += n
    return b"".join(parts)


def writers(root: Path) -> list[Path]:
    """Return the folders of all writers under `root`, dead ones included, by name; not that of dead
    letters."""
    return sorted(f for f in root.iterdir() if f.name != ASIDE and f.is_dir())


def writers_bytes(root: Path) -> int:
    """Return the bytes in the segments of all writers."""
    total = 0
    for folder in writers(root):
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to read
            total += folder_bytes(folder)
    return total


def folder_bytes(folder: Path) -> int:
    """Return the bytes in the segments of a folder."""
    total = 0
    for name in segments(folder):
        with contextlib.suppress(FileNotFoundError):  # shipped meanwhile
            total += (folder / str(name)).stat().st_size
    return total


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a synced file without an entry is lost."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def move_file(path: Path, to: Path) -> None:
    """Move a file, also to another disk. It is at one of both places, whole, at any time.

    Raises:
        OSError: it cannot be moved, or not be read whole.
    """
    try:
        os.replace(path, to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    copy = to.with_name(f".{to.name}.part")
    with path.open("rb") as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    os.replace(copy, to)
    sync_folder(to.parent)
    path.unlink()


class Segment:
    """A segment that is being written. Not safe for threads.

    Errors of the disk are OSErrors. After one the segment must be abandoned, as the content of the
    page cache after a failed sync is unknown.

    Args:
        folder: in which the file is made, durably.
        salt: `SALT_BYTES` random bytes.
    """

    def __init__(self, folder: Path, number: int, salt: bytes) -> None:
        assert len(salt) == SALT_BYTES
        self.name = SegmentName(number, salt)
        self.path = folder / str(self.name)
        self.size = 0
        """Durable bytes."""
        self._fd = os.open(
            self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            sync_folder(folder)
        except OSError:
            self.abandon()
            raise

    def append(self, data: bytes) -> None:
        """Write `data` durably."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        sync(self._fd)
        self.size += len(data)

    def require_room(self, n_bytes: int) -> None:
        """Raise OSError unless the disk has room for `n_bytes` more. Leaves nothing behind."""
        try:
            rest = memoryview(bytes(n_bytes))
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            sync(self._fd)
        finally:
            os.ftruncate(self._fd, self.size)
        sync(self._fd)

    def abandon(self) -> None:
        """Cut off what is not durable, or remove an empty file, and close.

        Best effort: a frame that stays is the record of a withheld decision, which does no harm."""
        with contextlib.suppress(OSError):
            if self.size:
                os.ftruncate(self._fd, self.size)
            else:
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Close the file. Everything appended is durable already."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
