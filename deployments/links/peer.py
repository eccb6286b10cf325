"""The user at the other end of a Unix socket, and the owner of a folder of sockets."""

from __future__ import annotations

import os
import socket
import stat
import struct
from asyncio import BaseTransport
from pathlib import Path

# Linux: pid, uid, gid. Elsewhere only the folder keeps other users out.
_PEERCRED = getattr(socket, "SO_PEERCRED", None)
_CREDENTIALS = struct.Struct("=iII")


def require_own_peer(transport: BaseTransport) -> None:
    """Refuse a connection to a process of another user.

    The kernel reports the user of the process that connected or began to listen. Nothing that the
    other end sends is trusted.

    Raises:
        PermissionError: the process is another user's, or the user is unknown.
    """
    connection = transport.get_extra_info("socket")
    if connection is None:
        raise PermissionError("a link has no socket")
    if _PEERCRED is not None:
        uid = _uid_of_peer(connection.fileno())
        if uid != os.geteuid():
            raise PermissionError(f"the other end of a link belongs to user {uid}")


def require_own_folder(folder: Path) -> None:
    """Refuse a folder that other users own or may enter, and a symbolic link to a folder.

    Raises:
        FileNotFoundError: there is no folder.
        PermissionError: it is another user's, or other users may enter it.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} is not a folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to user {found.st_uid}")
    if found.st_mode & 0o077:
        raise PermissionError(f"{folder} is open to others")


def _uid_of_peer(descriptor: int) -> int:
    # uvloop's sockets have no options, but a socket on a copy of the descriptor does.
    with socket.socket(fileno=os.dup(descriptor)) as own:
        assert _PEERCRED is not None
        found = own.getsockopt(socket.SOL_SOCKET, _PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(found)[1]
    return uid
