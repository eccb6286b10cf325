"""The account that PostgreSQL runs under, because it refuses to run as root.

If we are root, as in most containers, the server runs under an unprivileged account that the
machine has already; no account is created. Otherwise it runs under ours.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import CommandFailed

# In order of preference: the account meant for PostgreSQL, else the one that owns nothing.
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine, by ids."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return the account that the server must run under; None for our own.

    Existing data keeps its owner, because the accounts of a machine may change.

    Raises:
        CommandFailed: we are root, and there is no other account.
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
        "PostgreSQL does not run as root, and there is no other account for it",
        "run as another user, or add a user named postgres",
    )


def allow_traversal(folder: Path, account: Account) -> None:
    """Let an account traverse (not list) `folder` and its parents by their group. Where another
    group owns a folder, everybody may traverse it."""
    for step in (folder, *folder.parents):
        found = step.stat()
        mode = stat.S_IMODE(found.st_mode)
        if mode & stat.S_IXOTH or (found.st_gid == account.gid and mode & stat.S_IXGRP):
            continue
        if found.st_gid in (os.getegid(), account.gid):
            os.chown(step, -1, account.gid)
            step.chmod((mode & 0o707) | stat.S_IXGRP)
        else:
            step.chmod(mode | stat.S_IXOTH)


def allow_reading(folder: Path, account: Account) -> None:
    """Let everybody read and run what is under `folder`, and let `account` reach it: needed for an
    installation made with a strict umask."""
    allow_traversal(folder, account)
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        runs = path.is_dir() or bool(mode & stat.S_IXUSR)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if runs else 0))
