"""`$QUORUM_HOME/settings.env`: what `quorum up` found out or made up, for every later process."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from stores.whole_file import replace_file

NAME = "settings.env"
_HEADER = "# Written by `quorum up`. The environment overrides what stands here.\n"


def read(path: Path) -> dict[str, str]:
    """`KEY=value` lines of a file; {} if there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("'\"") for key, _, value in pairs}


def write(path: Path, values: Mapping[str, str], header: str = _HEADER) -> None:
    """Replace a file at once, readable by its owner only."""
    body = "".join(f"{key}={value}\n" for key, value in values.items())
    replace_file(path, (header + body).encode())


def complete(home: Path, stores: Mapping[str, str]) -> None:
    """Bring settings.env up to date: the embedded stores' URLs, and a pepper if there is none yet.

    Args:
        home: `$QUORUM_HOME`.
        stores: `DATABASE_URL` and `REDIS_URL` of the stores that are embedded, the others absent.
    """
    path = home / NAME
    before = read(path)
    after = {key: value for key, value in before.items() if key not in _STORES} | dict(stores)
    after.setdefault("QUORUM_KEY_PEPPER", secrets.token_urlsafe(32))
    if after != before:
        write(path, after)


_STORES = ("DATABASE_URL", "REDIS_URL")
