"""Finds the folders of the writers of a machine that is gone, on its disk, and ships them.

The folders are named by the caller. `decision_log.orphans` finds those beside a living log.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from decision_log.disk.backlog import Backlog
from decision_log.disk.claim import LOCK, Claim, claim, share
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.position import FILE
from decision_log.disk.segment import ASIDE, folder_bytes, segments, writers
from decision_log.entry import outline
from decision_log.orphans import ship_left
from decision_log.shipping.shipper import ShipperConfig
from decision_log.shipping.sink import RecordSink
from fraud.errors import QuorumError
from fraud.record import RecordBatch
from telemetry.metrics import LogStats

ROOT: Final = "wal"
"""The folder of all writers in a `$QUORUM_HOME`."""
BY_HAND: Final = ShipperConfig(attempts=6, max_retry_s=2.0)
"""A person waits for the end: a store that is away for longer than a failover takes is an error."""


class LogRefused(QuorumError):
    """A folder is not a log that can be shipped, or not by this user."""


@dataclass(frozen=True, slots=True)
class FoundLog:
    """The folders of a log.

    Attributes:
        root: the folder of all writers' folders; None if one writer's folder was named.
        writers: the writers' folders, by name.
    """

    root: Path | None
    writers: tuple[Path, ...]

    @property
    def dead_letters(self) -> tuple[Path, ...]:
        """The files that were set aside in this log before."""
        aside = None if self.root is None else self.root / ASIDE
        if aside is None or not aside.is_dir():
            return ()
        return tuple(sorted(path for path in aside.iterdir() if path.is_file()))


@dataclass(frozen=True, slots=True)
class WriterState:
    """What a writer's folder holds.

    Attributes:
        folder: the folder.
        alive: a process of this machine has claimed it.
        bytes: size of its segments.
        entries, rows: what waits to be shipped.
        unreadable: of the entries, those that this code cannot read.
        oldest_ms: time of the oldest decision that waits, milliseconds since the epoch; None if
            none does.
    """

    folder: Path
    alive: bool
    bytes: int
    entries: int
    rows: int
    unreadable: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class ShippedWriter:
    """What became of a writer's folder.

    Attributes:
        folder: the folder.
        alive: a process of this machine has claimed it; nothing was done.
        entries: entries that were read; `rows` are the records in PostgreSQL now, `repeated` of
            them were there already, and `set_aside` are records that it refuses and entries that
            this code cannot read.
        damaged_bytes: bytes that cannot be read, before the last intact record.
        torn_bytes: bytes after it: the end of a write that was never answered.
        kept: nothing in the folder was changed.
        failed: a part of it was not shipped, as `stays` says.
        stays: why the folder is still there; "" if it was removed, perhaps by another process that
            shipped it.
    """

    folder: Path
    alive: bool = False
    entries: int = 0
    rows: int = 0
    repeated: int = 0
    set_aside: int = 0
    damaged_bytes: int = 0
    torn_bytes: int = 0
    kept: bool = False
    failed: bool = False
    stays: str = ""


def find_log(folder: Path) -> FoundLog:
    """Return the log in a folder: a `$QUORUM_HOME`, its `wal` folder, or a writer's folder in it.

    Raises:
        LogRefused: it is none of these, or belongs to another user.
    """
    if not folder.exists():
        raise LogRefused(f"no such folder: {folder}")
    if not folder.is_dir():
        raise LogRefused(f"{folder} is a file, expected a folder")
    folder = folder.resolve()
    _check_owner(folder)
    if folder.name == ASIDE:
        raise LogRefused(
            f"{folder} holds dead letters: move the files into a new folder, ship that"
        )
    root = folder / ROOT if (folder / ROOT).is_dir() else folder
    if root == folder and _is_writers(folder):
        return FoundLog(None, (folder,))
    _check_owner(root)
    found = tuple(path for path in writers(root) if _is_writers(path))
    if not found and root.name != ROOT and not (root / ASIDE).is_dir():
        raise LogRefused(f"{folder} holds no decision log")
    for path in found:
        _check_owner(path)
    return FoundLog(root, found)


def state_of(folder: Path) -> WriterState:
    """Return what a writer's folder holds. Nothing in it is changed.

    Raises:
        OSError: it cannot be read.
    """
    held = share(folder)
    entries = rows = unreadable = 0
    oldest_ms: int | None = None
    backlog = Backlog(folder, folder, LogStats(), live=True, keep=True)
    try:
        for payload in iter(backlog.next, None):
            entries += 1
            try:
                n, at_ms = outline(payload)
            except ValueError:
                unreadable += 1
                continue
            rows += n
            oldest_ms = at_ms if oldest_ms is None else min(oldest_ms, at_ms)
        size = folder_bytes(folder)
    finally:
        backlog.close()
        if held is not None:
            held.release()
    return WriterState(folder, held is None, size, entries, rows, unreadable, oldest_ms)


class LostMachine:
    """Ships the folders of a machine that is gone, one after the other.

    Args:
        sink: PostgreSQL.
        letters_root: a folder of this machine; what cannot be shipped goes to `dead-letters` in it.
        keep: change nothing in the folders. So it is with folders that cannot be written anyway.
        config: see ShipperConfig.
    """

    def __init__(
        self,
        sink: RecordSink,
        letters_root: Path,
        *,
        keep: bool = False,
        config: ShipperConfig = BY_HAND,
    ) -> None:
        self._sink = sink
        self._letters_root = letters_root
        self._keep = keep
        self._config = config
        self.stats = LogStats()
        """The counts of the folder that is being shipped, or was last."""
        self._entries = 0

    async def ship(self, folder: Path) -> ShippedWriter:
        """Ship a writer's folder, and remove it unless it is to be kept.

        May be called again, and for copies of one folder by several machines at once: a record that
        is there already stays as it is.

        Raises:
            StoreUnavailable: PostgreSQL does not answer. What was not shipped stays.
        """
        self.stats, self._entries = LogStats(), 0
        try:
            return await self._held_and_shipped(folder)
        except OSError as error:
            if _is_gone(folder):
                return self._report(folder, False, "")
            return replace(self._report(folder, False, str(error)), failed=True)

    async def _held_and_shipped(self, folder: Path) -> ShippedWriter:
        if _is_gone(folder):
            return ShippedWriter(folder)
        read_only = not os.access(folder, os.W_OK | os.X_OK)
        keep = self._keep or read_only
        with _held(folder, keep) as claimed:
            if claimed is None:
                if _is_gone(folder):
                    return ShippedWriter(folder)
                return ShippedWriter(folder, alive=True, kept=True, stays="it is in use")
            await self._ship(folder, keep)
            why = "it cannot be written" if read_only else "as asked"
            return self._report(folder, keep, why if keep else _remove(claimed))

    async def _ship(self, folder: Path, keep: bool) -> None:
        letters = DeadLetters(self._letters_root, self.stats, once=True)
        backlog = Backlog(folder, letters.folder, self.stats, live=False, keep=keep)
        await ship_left(backlog, self._sink, letters, self.stats, self._config, self._note)

    def _note(self, number: int, records: RecordBatch, refused: Set[str]) -> None:
        self._entries += 1

    def _report(self, folder: Path, kept: bool, stays: str) -> ShippedWriter:
        stats = self.stats
        return ShippedWriter(
            folder=folder,
            entries=self._entries,
            rows=stats.shipped_rows,
            repeated=stats.repeated_rows,
            set_aside=stats.dead_letters,
            damaged_bytes=stats.damaged_bytes,
            torn_bytes=stats.torn_bytes,
            kept=kept,
            stays=stays,
        )


@contextmanager
def _held(folder: Path, keep: bool) -> Iterator[Claim | None]:
    held = share(folder) if keep else claim(folder, create=False)
    try:
        yield held
    finally:
        if held is not None:
            held.release()


def _remove(claimed: Claim) -> str:
    """Remove a folder that was shipped. Returns why it stays, "" if it does not."""
    if segments(claimed.folder):
        return "more came while it was shipped: run it again"
    try:
        claimed.remove()
    except OSError as error:
        return f"it cannot be removed: {error.strerror}"
    return ""


def _is_gone(folder: Path) -> bool:
    """Return whether another process shipped and removed a folder meanwhile."""
    return not folder.exists()


def _is_writers(folder: Path) -> bool:
    return bool(segments(folder)) or any((folder / name).is_file() for name in (FILE, LOCK))


def _check_owner(folder: Path) -> None:
    """Refuse what is not this user's: its owner could make us record false decisions.

    Raises:
        LogRefused: the folder is another user's, or a link.
    """
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise LogRefused(f"{folder} is a symbolic link")
    if found.st_uid != os.geteuid():
        raise LogRefused(
            f"{folder} belongs to uid {found.st_uid}, this is uid {os.geteuid()}:"
            " work as its owner, or on a copy of your own"
        )
