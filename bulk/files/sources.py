"""Files that were not uploaded: server-side paths and `s3://` URLs that the settings allow."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, Self

from bulk.files.refused import FileRefused
from models.store.s3 import S3Objects
from stores.whole_file import whole_file

_S3: Final = "s3://"
_BLOCK: Final = 1 << 20

# One text for every reason: it must not tell what there is outside of the allowed places.
_REFUSED: Final = "there is no such file in the places that jobs may read files from"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class JobSources:
    """The places that jobs may read files from.

    Attributes:
        folders: without symbolic links.
        prefixes: (bucket, prefix); the prefix is "" for a whole bucket.
        endpoint_url: of an S3 server other than AWS's.
    """

    folders: tuple[Path, ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()
    endpoint_url: str | None = None

    @classmethod
    def parse(cls, listed: str, endpoint_url: str | None = None) -> Self:
        """Read the setting `job_sources`: folders and `s3://` prefixes, separated by commas."""
        places = [place for place in map(str.strip, listed.split(",")) if place]
        buckets = [place.removeprefix(_S3) for place in places if place.startswith(_S3)]
        return cls(
            tuple(Path(place).resolve() for place in places if not place.startswith(_S3)),
            tuple((b.partition("/")[0], b.partition("/")[2].strip("/")) for b in buckets),
            endpoint_url,
        )

    def fetch(self, source: str, target: Path, max_bytes: int) -> None:
        """Copy a file to where the job's upload is. It never follows later changes of the source.

        Args:
            source: an absolute path or an `s3://` URL.
            target: of the copy; no part of a file is ever there.
            max_bytes: most bytes that it may have.

        Raises:
            FileRefused: the source is not allowed or no regular file, or too large.
            ArtifactsUnavailable: the S3 server does not answer, or denies access.
        """
        opened = self._object(source) if source.startswith(_S3) else self._file(source)
        with opened as (file, size):
            if size > max_bytes:
                raise _too_large(max_bytes)
            with whole_file(target) as made, made.open("wb") as copy:
                _copy(file, copy, max_bytes)

    @contextmanager
    def _file(self, source: str) -> Iterator[tuple[BinaryIO, int]]:
        folder, path = self._allowed(source)
        try:
            descriptor = _opened_within(folder, path.relative_to(folder))
        except OSError:
            raise _refused() from None
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            os.close(descriptor)
            raise _refused()
        with open(descriptor, "rb") as file:
            yield file, about.st_size

    def _allowed(self, source: str) -> tuple[Path, Path]:
        """An allowed folder, and the path in it without symbolic links."""
        path = Path(source)
        if not path.is_absolute() or ".." in path.parts or "\0" in source:
            raise _refused()
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links, half a character
            raise _refused() from None
        folder = next((folder for folder in self.folders if folder in real.parents), None)
        if folder is None:
            raise _refused()
        return folder, real

    @contextmanager
    def _object(self, source: str) -> Iterator[tuple[Any, int]]:
        bucket, _, key = source.removeprefix(_S3).partition("/")
        parts = key.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or not self._allows(bucket, key):
            raise _refused()
        with S3Objects(bucket, "", self.endpoint_url).opened(key) as file:
            if file is None:
                raise _refused()
            yield file, int(file.size())

    def _allows(self, bucket: str, key: str) -> bool:
        return any(
            bucket == allowed and (not prefix or key.startswith(f"{prefix}/"))
            for allowed, prefix in self.prefixes
        )


def _opened_within(folder: Path, path: Path) -> int:
    """Open a file step by step, without following a link that appeared since the path was checked.

    Args:
        folder: an allowed one.
        path: of the file, in the folder.

    Returns:
        The descriptor. Whatever it is, opening it does not wait, such as for a pipe's writer.
    """
    inner = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for place, name in enumerate(path.parts, start=1):
        flags = inner if place == len(path.parts) else inner | os.O_DIRECTORY
        try:
            below = os.open(name, flags, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at


def _copy(source: _Readable, target: BinaryIO, max_bytes: int) -> None:
    left = max_bytes
    while block := source.read(_BLOCK):
        left -= len(block)
        if left < 0:  # it has grown
            raise _too_large(max_bytes)
        target.write(block)


def _refused() -> FileRefused:
    return FileRefused("source-not-allowed", _REFUSED)


def _too_large(max_bytes: int) -> FileRefused:
    return FileRefused("too-large", f"the file is larger than {max_bytes:,} bytes")
