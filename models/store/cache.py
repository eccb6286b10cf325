"""Local copies of remote artifacts: verified, bounded, usable without the network."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fraud.errors import ArtifactRefused
from models.artifact import MANIFEST, read_manifest, version_of
from stores.whole_file import replace_file

logger = logging.getLogger(__name__)

_FETCHING = ".fetching-"
_ABANDONED_S = 3600.0


class Cache:
    """Whole artifacts, `<folder>/<variant>/<version>`, and aliases as they were last seen.

    Several processes may share a folder. A damaged artifact is fetched again. Beyond `max_bytes`
    the least recently used artifacts are removed.

    Args:
        folder: made when needed.
        max_bytes: of all artifacts; the one fetched last always stays.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def take(
        self, variant: str, version: str, digest: str | None, fill: Callable[[Path], None]
    ) -> Path:
        """The folder of a verified artifact, fetched if need be.

        Args:
            digest: the manifest's; None if only its first digits, the version, are known.
            fill: writes the artifact's files into an empty folder.

        Raises:
            ArtifactRefused: a fetched file does not match its digest.
        """
        target = self._folder / variant / version
        if self._whole(target, version, digest):
            os.utime(target)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_FETCHING, dir=self._folder) as made:
            fresh = Path(made) / version
            fresh.mkdir()
            fill(fresh)
            _verify(fresh, version, digest)
            # Another process may have been faster, and may be reading its copy already.
            if not self._whole(target, version, digest):
                self._place(fresh, target, Path(made) / "damaged")
        self._prune(target)
        return target

    def remember(self, name: str, body: bytes) -> None:
        """Keep an alias file for times without network."""
        path = self._folder / name
        if path.exists() and path.read_bytes() == body:
            return
        replace_file(path, body)

    def forget(self, name: str) -> None:
        """Drop an alias file that no longer exists remotely."""
        (self._folder / name).unlink(missing_ok=True)

    def recall(self, name: str) -> bytes | None:
        """The alias file as it was last seen, None if it never was."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    @staticmethod
    def _whole(target: Path, version: str, digest: str | None) -> bool:
        if not target.exists():
            return False
        try:
            _verify(target, version, digest)
        except ArtifactRefused as error:
            logger.warning("cache: %s; it is fetched again", error)
            return False
        return True

    @staticmethod
    def _place(fresh: Path, target: Path, aside: Path) -> None:
        """Put a whole artifact in the place of a damaged one, or of none."""
        if target.exists():
            with contextlib.suppress(FileNotFoundError):  # another process was first
                os.replace(target, aside)
        try:
            os.replace(fresh, target)
        except OSError:
            if not target.exists():
                raise

    def _prune(self, newest: Path) -> None:
        self._sweep()
        entries = [path.parent for path in self._folder.glob(f"*/*/{MANIFEST}")]
        aged = sorted(entries, key=_used_at, reverse=True)
        kept = 0
        for entry in [newest, *(e for e in aged if e != newest)]:
            kept += _bytes(entry)
            if kept > self._max_bytes and entry != newest:
                shutil.rmtree(entry, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed fetches left behind."""
        for left in self._folder.glob(f"{_FETCHING}*"):
            if time.time() - _used_at(left) > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


def _verify(folder: Path, version: str, digest: str | None) -> None:
    _, actual = read_manifest(folder, digest)
    if version_of(actual) != version:
        raise ArtifactRefused(f"{version}: the manifest belongs to {version_of(actual)}")


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
