"""Files of jobs that are not uploaded: in a folder of the server, or in S3.

The settings say from where jobs may read. A file is copied to the job's folder: it may change or
vanish while the job runs.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

from bulk.files.refused import FileRefused
from fraud.errors import InvalidInput
from models.store.location import open_objects
from models.store.objects import Objects

S3 = "s3://"


@dataclass(frozen=True, slots=True)
class FileSources:
    """From where jobs may read files.

    Attributes:
        folders: of this machine, real paths.
        prefixes: `s3://bucket/` or `s3://bucket/prefix/`.
        endpoint_url: of an S3-compatible server; None for AWS.
        open_remote: opens the files below a prefix.
    """

    folders: tuple[Path, ...]
    prefixes: tuple[str, ...]
    endpoint_url: str | None = None
    open_remote: Callable[[str, str | None, str], Objects] = open_objects

    @classmethod
    def of(cls, allowed: str, endpoint_url: str | None = None) -> FileSources:
        """Return the sources that the setting `job_sources` names.

        Args:
            allowed: folders and `s3://` prefixes, separated by commas.
            endpoint_url: of an S3-compatible server; None for AWS.

        Raises:
            InvalidInput: an entry is neither an absolute path nor an `s3://` prefix.
        """
        names = [name for part in allowed.split(",") if (name := part.strip())]
        folders = [name for name in names if not name.startswith(S3)]
        for name in folders:
            if not Path(name).is_absolute():
                raise InvalidInput("QUORUM_JOB_SOURCES: expected absolute paths and s3:// prefixes")
        prefixes = (f"{name.rstrip('/')}/" for name in names if name.startswith(S3))
        return cls(
            tuple(Path(os.path.realpath(name)) for name in folders), tuple(prefixes), endpoint_url
        )

    def fetch(self, source: str, path: Path, max_bytes: int) -> None:
        """Copy a file to `path`.

        Args:
            source: an absolute path of this machine, or an `s3://` URL.
            path: where to write it; it must not exist.
            max_bytes: size of the largest file.

        Raises:
            FileRefused: the source is not allowed or not there, or too large. The message does not
                say which: a caller learns nothing about other files.
            ArtifactsUnavailable: S3 does not answer.
        """
        if source.startswith(S3):
            self._fetch_remote(source, path, max_bytes)
        else:
            self._fetch_local(source, path, max_bytes)

    def _fetch_local(self, source: str, path: Path, max_bytes: int) -> None:
        if not source.startswith("/") or "\0" in source:
            _not_allowed()
        try:
            # Not blocking: opening a pipe would wait for its writer.
            handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            _not_allowed()
        with os.fdopen(handle, "rb") as file:
            # Of the open file, so that no link can be changed in between.
            real = Path(os.path.realpath(f"/proc/self/fd/{handle}"))
            inside = any(real.is_relative_to(folder) for folder in self.folders)
            state = os.fstat(handle)
            if not inside or not stat.S_ISREG(state.st_mode):
                _not_allowed()
            _check_size(state.st_size, max_bytes)
            _copy(file, path, state.st_size)

    def _fetch_remote(self, source: str, path: Path, max_bytes: int) -> None:
        prefix = next((prefix for prefix in self.prefixes if source.startswith(prefix)), None)
        name = source.removeprefix(prefix or "")
        if prefix is None or not name or PurePosixPath(name).is_absolute() or _has_dots(name):
            _not_allowed()
        objects = self.open_remote(prefix, self.endpoint_url, "source")
        folder = name.rpartition("/")[0]
        size = objects.sizes(folder).get(name)
        if size is None:
            _not_allowed()
        _check_size(size, max_bytes)
        if not objects.receive(name, path):
            _not_allowed()
        path.chmod(0o600)


def _copy(file: IO[bytes], path: Path, size: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
    if path.stat().st_size != size:
        raise FileRefused("damaged", "The file changed while it was copied.")


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise FileRefused("too-large", f"The file is larger than {max_bytes >> 20} MiB.")


def _has_dots(name: str) -> bool:
    return any(part in ("", ".", "..") for part in name.split("/"))


def _not_allowed() -> NoReturn:
    raise FileRefused(
        "source-not-allowed", "Jobs may not read this source, or there is no file."
    ) from None
