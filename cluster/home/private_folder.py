"""Folders that are this user's alone, and what is not taken for one."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from cluster.terminal.terminal import CommandFailed

UMASK = 0o077
"""Of every process that the command line starts: what it writes, this user alone may read."""


def make_private(folder: Path) -> None:
    """Make a folder for this user alone, or see that one that is there is.

    One of ours that others may enter is closed to them. The account of a database that was let
    pass through it (`cluster.embedded.account`) may go on doing so.

    Raises:
        CommandFailed: it is somebody else's, a link or no folder; nothing has been changed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no folder"
            raise CommandFailed(f"{folder} is {what}", _HINT) from None
        if found.st_uid != os.geteuid():
            raise CommandFailed(f"{folder} belongs to {_name(found.st_uid)}", _HINT) from None
        passing = 0 if found.st_gid == os.getegid() else stat.S_IXGRP
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077 & ~passing:
            folder.chmod(mode & (0o700 | passing))


def remove_private(folder: Path) -> None:
    """Remove a folder of this user's with all that is in it; leave somebody else's alone."""
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


_HINT = "have its owner remove it, or set QUORUM_HOME to another folder"


def _name(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
