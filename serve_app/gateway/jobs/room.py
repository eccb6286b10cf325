"""What one process takes on at a time: files that come in, are copied or are sent, and disk space.

Serve bounds the requests of a replica, but requests about jobs do not pass through it
(`serve_app.http.express`). A tenant's jobs are bounded elsewhere; here it is all tenants together.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bulk.files.refused import FileRefused
from fraud.errors import Overloaded
from settings.settings import Settings

RETRY_DISK_S: Final = 60.0
RETRY_PLACE_S: Final = 30.0
RETRY_DOWNLOAD_S: Final = 10.0

FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT)
"""What a disk says that takes nothing more, or nothing more of this user."""

Fetch = Callable[[str, Path, int], None]
"""(source, path, most bytes): copies a file that was not uploaded; blocks. Raises
FileRefused, for sources that are not allowed as well, and ArtifactsUnavailable."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What may be submitted; see `settings.settings.Settings`.

    Attributes:
        upload_bytes: size of the largest file, as it comes.
        reserve_bytes: free space of the disk that files of jobs never take.
        at_once: most files that come in or are matched at a time.
        copies: most files that are copied at a time; the others wait. Each holds a thread.
        downloads, downloads_each: most files that are sent at a time, and to one tenant. Each holds
            some thousand rows.
    """

    upload_bytes: int = 5 << 30
    reserve_bytes: int = 1 << 30
    at_once: int = 64
    copies: int = 2
    downloads: int = 32
    downloads_each: int = 8

    @classmethod
    def of(cls, settings: Settings) -> JobLimits:
        """Return the limits among all settings."""
        return cls(settings.max_upload_mib << 20)


class JobRoom:
    """What this process takes on.

    Args:
        limits: of it.
        fetch: copies files that are not uploaded.
    """

    def __init__(self, limits: JobLimits, fetch: Fetch) -> None:
        self._limits = limits
        self._fetch = fetch
        self._taken = 0
        self._sent: Counter[str] = Counter()
        self._copies = asyncio.Semaphore(limits.copies)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for one file.

        Raises:
            Overloaded: all are taken.
        """
        if self._taken >= self._limits.at_once:
            raise Overloaded("too many files are taken in", retry_after_s=RETRY_PLACE_S)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    @contextmanager
    def download(self, tenant: str) -> Iterator[None]:
        """Hold a place for one file that is sent.

        Raises:
            Overloaded: all are taken, or those of the tenant.
        """
        limits = self._limits
        if self._sent[tenant] >= limits.downloads_each or self._sent.total() >= limits.downloads:
            raise Overloaded("too many downloads at a time", retry_after_s=RETRY_DOWNLOAD_S)
        self._sent[tenant] += 1
        try:
            yield
        finally:
            self._sent[tenant] -= 1
            self._sent += Counter()  # without those of nothing

    async def require_space(self, folder: Path, more_bytes: int) -> None:
        """Do nothing if a folder's disk has room for so many bytes more.

        Raises:
            Overloaded: it has not.
        """
        if await self._free(folder) < more_bytes:
            raise nearly_full()

    async def fetch(self, source: str, path: Path) -> None:
        """Copy a file that is not uploaded.

        Raises:
            FileRefused: it is not allowed, or too large.
            Overloaded: the disk has no room for it.
            ArtifactsUnavailable: its store does not answer.
        """
        async with self._copies:
            free, most = await self._free(path.parent), self._limits.upload_bytes
            try:
                await asyncio.to_thread(self._fetch, source, path, max(0, min(most, free)))
            except FileRefused as error:
                if error.code == "too-large" and free < most:
                    raise nearly_full() from None
                raise
            except OSError as error:
                if error.errno in FULL_DISK:
                    raise nearly_full() from None
                raise

    async def _free(self, folder: Path) -> int:
        """Return how many bytes more may be written."""
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
        return usage.free - self._limits.reserve_bytes


def nearly_full() -> Overloaded:
    """Return the error of a disk without room."""
    return Overloaded("the disk for files of jobs is nearly full", retry_after_s=RETRY_DISK_S)
