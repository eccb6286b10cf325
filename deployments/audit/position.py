"""Position: how far a folder has been shipped."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_FILE = "position.json"
_BYTES = 128
"""What the file holds, blanks at its end: a shorter position leaves nothing of a longer one."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Everything before `offset` of segment `number`, and every earlier segment, is shipped."""

    number: int = 0
    offset: int = 0


def load_position(folder: Path) -> Position:
    """The position of a folder; its beginning if none is kept or it cannot be read: shipping a
    record twice changes nothing, so a lost position costs time and no more."""
    try:
        return Position(**json.loads((folder / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Position()


def save_position(folder: Path, position: Position) -> None:
    """Keep the position. Not synced: see `load_position`.

    Written over the old one, in one piece that lies within a sector: no file is made and renamed,
    as that would hold up the loop that decides whenever the disk is busy.
    """
    text = f'{{"number": {position.number}, "offset": {position.offset}}}'
    fd = os.open(folder / _FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, text.ljust(_BYTES).encode(), 0)
    finally:
        os.close(fd)
