"""Named files that appear and change as a whole: a folder here, a prefix of a bucket elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from stores.whole_file import SUFFIX, replace_file


class Objects(Protocol):
    """Files by name; a name is a relative POSIX path without dots. Whoever reads one gets the
    whole of what was written last.

    Every method raises ArtifactsUnavailable where the place does not answer, or lets nobody in.
    """

    @property
    def url(self) -> str:
        """`file:///folder` or `s3://bucket/prefix`."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where the files lie on this machine; None if they lie elsewhere."""
        ...

    def read(self, name: str) -> bytes | None:
        """A file's content, None if there is no such file."""
        ...

    def write(self, name: str, body: bytes) -> None:
        """Make or replace a file."""
        ...

    def receive(self, name: str, path: Path) -> bool:
        """Copy a file to `path`. Returns whether there is one."""
        ...

    def send(self, path: Path, name: str) -> None:
        """Make or replace a file by the one at `path`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Bytes of every file under a folder's name ("" for all), by its whole name."""
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
            except FileNotFoundError:  # gone since it was listed
                continue
        return found
