"""Files that are replaced as a whole: a reader finds the old one or the new one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".tmp"
"""Suffix of the files that a killed writer leaves beside the file."""


def replace_file(path: Path, body: bytes, mode: int = 0o600) -> None:
    """Write a file in place of the one at `path`, if there is one; make its folder if need be.

    Blocks until the disk has the bytes, so that a power cut cannot leave an empty file.

    Args:
        path: path of the file.
        body: its whole content.
        mode: its permissions, which hold from the beginning.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    with whole_file(path, mode) as made:
        made.write_bytes(body)


@contextmanager
def whole_file(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """Give a temporary path to write to. In the end its file takes the place of that at `path`.

    Blocks then until the disk has the bytes. If the body fails, the old file stays.

    Args:
        path: path of the file; its folder is made if need be.
        mode: its permissions, which hold from the beginning.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=SUFFIX)
    os.close(handle)
    made = Path(name)
    try:
        yield made
        with made.open("rb") as file:
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(made, path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
