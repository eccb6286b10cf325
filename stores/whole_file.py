"""Files that are replaced in one piece: whoever reads them finds the old one or the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SUFFIX = ".tmp"
"""Of what a writer that was killed leaves beside the file."""


def replace_file(path: Path, body: bytes, mode: int = 0o600) -> None:
    """Put a file in place of the one at `path`, or of none; its folder is made if need be. Blocks
    until the disk has the bytes: no name leads to a file that a power cut could empty.

    Args:
        path: of the file.
        body: all of it.
        mode: who may read it; nobody else may at any moment.

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
