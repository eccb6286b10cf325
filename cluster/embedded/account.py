"""The account that PostgreSQL runs under: it refuses to run as root.

As root (containers, mostly) the server runs as an unprivileged account that the machine already
has; no account is made. Otherwise it runs as whoever called.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from cluster.console import CommandFailed

# In order of preference: the account made for the purpose, else the one that owns nothing.
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine, by numbers."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Who the server has to run as; None: as ourselves.

    The owner of data that already exists stays its owner: which accounts a machine has may change.

    Raises:
        CommandFailed: we are root and there is nobody else to be.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        owner = data.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise CommandFailed(
        "PostgreSQL does not run as root and there is no account to run it under",
        "run as another user, or add a user named postgres",
    )


def let_through(folder: Path) -> None:
    """Let everybody traverse (not list) `folder` and the folders above it."""
    for step in (folder, *folder.parents):
        mode = step.stat().st_mode
        if not mode & stat.S_IXOTH:
            step.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def let_read(folder: Path) -> None:
    """Let everybody read and run what is under `folder`: a strict umask hid an installation."""
    let_through(folder)
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        runs = path.is_dir() or bool(mode & stat.S_IXUSR)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if runs else 0))
