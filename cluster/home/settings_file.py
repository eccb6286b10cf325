"""`$QUORUM_HOME/settings.env`: the settings that `quorum up` chose, for every later process."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from settings.secret_files import given
from stores.whole_file import replace_file

NAME = "settings.env"
_HEADER = "# Written by `quorum up`. Environment variables override these values.\n"


def read(path: Path) -> dict[str, str]:
    """Return the `KEY=value` lines of a file; {} if it does not exist."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("'\"") for key, _, value in pairs}


def write(path: Path, values: Mapping[str, str], header: str = _HEADER) -> None:
    """Replace a file atomically. Only its owner can read it."""
    body = "".join(f"{key}={value}\n" for key, value in values.items())
    replace_file(path, (header + body).encode())


def complete(home: Path, stores: Mapping[str, str]) -> None:
    """Write the embedded stores' URLs to settings.env, and a pepper if it has none yet.

    Args:
        home: `$QUORUM_HOME`.
        stores: `DATABASE_URL` and `REDIS_URL` of the embedded stores; external ones are absent.
    """
    path = home / NAME
    before = read(path)
    after = {key: value for key, value in before.items() if key not in _STORES} | dict(stores)
    if not given(PEPPER):
        after.setdefault(PEPPER, secrets.token_urlsafe(32))
    if after != before:
        write(path, after)


def keep(home: Path, values: Mapping[str, str | None]) -> None:
    """Write some settings of this node to settings.env, for later commands.

    Args:
        home: `$QUORUM_HOME`.
        values: None removes a setting.
    """
    path = home / NAME
    before = read(path)
    after = {key: value for key, value in before.items() if key not in values}
    after |= {key: value for key, value in values.items() if value is not None}
    if after != before:
        write(path, after)


PEPPER = "QUORUM_KEY_PEPPER"
_STORES = ("DATABASE_URL", "REDIS_URL")
