"""Position: how far a folder has been shipped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "position.json"
_BYTES = 128
"""What the file holds, blanks at its end: a shorter position leaves nothing of a longer one."""


@dataclass(frozen=True, slots=True)
class Position:
    """Everything before `offset` of the segment of this number and salt (hex) is shipped. Segments
    with a lower number were, too, when it was kept; one that lies there nevertheless is read."""

    number: int = 0
    offset: int = 0
    salt: str = ""


def load_position(folder: Path) -> Position:
    """The position of a folder; its beginning if none is kept or it cannot be read: shipping a
    record twice changes nothing, so a lost position costs time and no more."""
    try:
        return Position(**json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Position()


def save_position(folder: Path, position: Position) -> None:
    """Keep the position. Not synced: see `load_position`.

    Written over the old one, in one piece that lies within a sector: no file is made and renamed,
    as that would hold up the loop that decides whenever the disk is busy.
    """
    text = json.dumps(asdict(position))
    fd = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, text.ljust(_BYTES).encode(), 0)
    finally:
        os.close(fd)
