"""Position: how far a folder has been shipped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "position.json"
_BYTES = 128
"""Size of the file, padded with blanks: a shorter position covers all of a longer one."""


@dataclass(frozen=True, slots=True)
class Position:
    """Everything before `offset` of the segment with this number and salt (hex) is shipped.

    Segments with a lower number were shipped when it was saved. One that is there nevertheless is
    read."""

    number: int = 0
    offset: int = 0
    salt: str = ""


def load_position(folder: Path) -> Position:
    """Return the position of a folder; its beginning if none is saved or readable. Shipping a
    record twice changes nothing, so a lost position only costs time."""
    try:
        return Position(**json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Position()


def save_position(folder: Path, position: Position) -> None:
    """Save the position. Not synced: see `load_position`.

    It is written over the old one in one piece within a sector. Making and renaming a file would
    hold up the event loop, and with it decisions, whenever the disk is busy.
    """
    text = json.dumps(asdict(position))
    fd = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, text.ljust(_BYTES).encode(), 0)
    finally:
        os.close(fd)
