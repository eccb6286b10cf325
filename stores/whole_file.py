"""Files that are replaced as a whole: a reader finds the old one or the new one."""

from __future__ import annotations

import os
import tempfile
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
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=SUFFIX)
    try:
        with open(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.replace(made, path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
