"""The files that pages load. Their names change with their bytes, so that browsers keep them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
NAMES: Final = ("console.css", "upload.js", "progress.js", "icon.svg")
"""Every file that is served, and no other."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served.

    Attributes:
        served: its name with the first 12 hex digits of its SHA-256, such as `console.<hex>.css`.
    """

    body: bytes
    media_type: str
    served: str


@cache
def assets() -> dict[str, Asset]:
    """Return every file by its plain name."""
    return {name: _asset(_FOLDER / name) for name in NAMES}


def plain_name(served: str) -> str:
    """Return the plain name of a served one: it without its second last part."""
    stem, _, suffix = served.rpartition(".")
    return f"{stem.rpartition('.')[0]}.{suffix}"


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, _MEDIA_TYPES[path.suffix], f"{path.stem}.{digest}{path.suffix}")
