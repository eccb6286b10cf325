"""Position: how far a folder has been shipped."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_FILE = "position.json"


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
    """Replace the position, atomically. Not synced: see `load_position`."""
    draft = folder / f"{_FILE}.new"
    draft.write_text(f'{{"number": {position.number}, "offset": {position.offset}}}')
    os.replace(draft, folder / _FILE)
