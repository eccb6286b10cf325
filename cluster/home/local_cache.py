"""Local copies of artifacts and of feature matrices under `QUORUM_HOME`, and their removal."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fraud.errors import InvalidInput
from models.artifact import MANIFEST, REFERENCE_PREFIX
from models.store.alias import NAME

MATRICES = "features"
"""The name that stands for the feature matrices of trainings."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed.

    Attributes:
        bytes: of all files together.
    """

    artifacts: int
    matrices: int
    bytes: int

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def clear(home: Path, name: str | None = None) -> Cleared:
    """Remove local copies.

    Args:
        home: `QUORUM_HOME`.
        name: only the artifacts of this variant or of the reference of this name, or `features`;
            None: everything.

    Raises:
        InvalidInput: it cannot be such a name.
    """
    if name is not None and not NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is not the name of a variant or a reference")
    artifacts = [] if name == MATRICES else _artifacts(home, name)
    matrices = _matrices(home) if name in (None, MATRICES) else []
    folders = list(filter(None, map(_remove_folder, artifacts)))
    files = list(filter(None, map(_remove_file, matrices)))
    return Cleared(len(folders), len(files), sum(folders) + sum(files))


def _remove_folder(folder: Path) -> int:
    """Remove an artifact. Return its bytes; 0 if another process was faster."""
    try:
        # The manifest goes first: a copy without it is fetched again, never half read.
        size = _remove_file(folder / MANIFEST)
        size += sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except FileNotFoundError:
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    return size


def _remove_file(path: Path) -> int:
    """Remove a file. Return its bytes; 0 if another process was faster."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size


def _artifacts(home: Path, name: str | None) -> list[Path]:
    variants = ["*"] if name is None else [name, f"{REFERENCE_PREFIX}{name}"]
    places = home / "cache" / "artifacts"
    return sorted(
        manifest.parent
        for variant in variants
        for manifest in places.glob(f"*/{variant}/*/{MANIFEST}")
    )


def _matrices(home: Path) -> list[Path]:
    return sorted((home / "cache").glob("features-*.npy"))
