"""The files that the pages load: our own, and those of Swagger UI out of its wheel."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

_OWN = Path(__file__).parent
# The wheel is used for these files alone; its Flask blueprint is never imported.
_SWAGGER_UI = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))

_FILES: Final = {
    "page.css": _OWN / "page.css",
    "viewer.css": _OWN / "viewer.css",
    "viewer.js": _OWN / "viewer.js",
    "swagger-ui.css": _SWAGGER_UI / "swagger-ui.css",
    "swagger-ui-bundle.js": _SWAGGER_UI / "swagger-ui-bundle.js",
    "favicon-32x32.png": _SWAGGER_UI / "favicon-32x32.png",
}
NAMES: Final = tuple(_FILES)
"""Every file that is served, and no other."""

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `etag` changes with its bytes."""

    body: bytes
    media_type: str
    etag: str


@cache
def asset(name: str) -> Asset:
    """Return a file of `NAMES`. The first call reads it from disk.

    Raises:
        KeyError: there is no such file.
    """
    path = _FILES[name]
    body = path.read_bytes()
    return Asset(body, _MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
