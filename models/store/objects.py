"""Named files that appear and change as a whole, in a local folder or under a bucket's prefix."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from stores.whole_file import SUFFIX, replace_file


class Objects(Protocol):
    """Files by name, a relative POSIX path without dots. A reader gets a whole file, as it was
    written last.

    Every method raises ArtifactsUnavailable if the store does not answer or denies access.
    """

    @property
    def url(self) -> str:
        """`file:///folder` or `s3://bucket/prefix`."""
        ...

    @property
    def folder(self) -> Path | None:
        """The local folder of the files; None if they are remote."""
        ...

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is no such file."""
        ...

    def write(self, name: str, body: bytes) -> None:
        """Make or replace a file."""
        ...

    def receive(self, name: str, path: Path) -> bool:
        """Copy a file to `path`. Returns whether it exists."""
        ...

    def send(self, path: Path, name: str) -> None:
        """Make or replace a file, copying the one at `path`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        ...

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Bytes of every file in a folder ("" for all), by full name."""
        ...


class FolderObjects:
    """Files under a folder of this machine, made when the first is written.

    Args:
        folder: absolute.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def url(self) -> str:
        return self._folder.as_uri()

    @property
    def folder(self) -> Path | None:
        return self._folder

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, body: bytes) -> None:
        replace_file(self._folder / name, body)

    def receive(self, name: str, path: Path) -> bool:
        body = self.read(name)
        if body is None:
            return False
        path.write_bytes(body)
        return True

    def send(self, path: Path, name: str) -> None:
        self.write(name, path.read_bytes())

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def sizes(self, prefix: str = "") -> dict[str, int]:
        found = {}
        for path in (self._folder / prefix).rglob("*"):
            name = path.relative_to(self._folder).as_posix()
            if path.suffix == SUFFIX or any(part.startswith(".") for part in path.parts[-3:]):
                continue
            try:
                if path.is_file():
                    found[name] = path.stat().st_size
            except FileNotFoundError:  # removed since it was listed
                continue
        return found
