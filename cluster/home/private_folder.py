"""Folders that only this user may enter."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from cluster.errors import CommandFailed

UMASK = 0o077
"""Umask of every process that the command line starts: only this user may read its files."""


def make_private(folder: Path) -> None:
    """Make a folder that only this user may enter, or close an existing one to others.

    The database's account may still pass through it (`cluster.embedded.account`).

    Raises:
        CommandFailed: the folder is another user's, a link or not a folder; nothing is changed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a folder"
            raise CommandFailed(f"{folder} is {what}", _HINT) from None
        if found.st_uid != os.geteuid():
            raise CommandFailed(f"{folder} belongs to {_name(found.st_uid)}", _HINT) from None
        passing = 0 if found.st_gid == os.getegid() else stat.S_IXGRP
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077 & ~passing:
            folder.chmod(mode & (0o700 | passing))


def remove_private(folder: Path) -> None:
    """Remove a folder with its contents, unless it belongs to another user."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if found.st_uid != os.geteuid():
        return
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)


_HINT = "ask its owner to remove it, or set QUORUM_HOME to another folder"


def _name(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
