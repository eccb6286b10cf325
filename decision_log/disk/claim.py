"""Claims: the right to write and ship a folder. The system releases those of dead processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from decision_log.disk.position import FILE

LOCK = "lock"


class Claim:
    """A folder held by this process, by a lock on a file in it."""

    def __init__(self, folder: Path, fd: int) -> None:
        self.folder = folder
        self._fd = fd

    def release(self) -> None:
        """Leave the folder to others. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """Remove the folder, then release it: a process that waited for the lock finds it gone.

        Raises:
            OSError: the folder holds other files, and stays.
        """
        try:
            # The lock file last: without it another process may claim the folder.
            for name in (FILE, LOCK):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()
        finally:
            self.release()


def claim(folder: Path, *, create: bool) -> Claim | None:
    """Claim a folder. None if another process holds it, or if it is missing and not to be created.

    Raises:
        OSError: the folder cannot be made or locked.
    """
    if create:
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    try:
        fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        return None
    held = False
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = _is_still(path, fd)
    finally:
        if not held:
            os.close(fd)
    return Claim(folder, fd) if held else None


def share(folder: Path) -> Claim | None:
    """Hold a folder that is only read, together with others that do; nothing in it is changed. None
    if a process has claimed it.

    Raises:
        OSError: its lock cannot be read.
    """
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # a writer makes its lock first: nobody is at work here
        return Claim(folder, -1)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return Claim(folder, fd)


def _is_still(path: Path, fd: int) -> bool:
    """Return whether the path still names the locked file: the folder may have been removed after
    the file was opened."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
