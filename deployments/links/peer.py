"""Who is at the other end of a Unix socket, and whom a folder of sockets belongs to."""

from __future__ import annotations

import os
import socket
import stat
import struct
from asyncio import BaseTransport
from pathlib import Path

# Linux: pid, uid, gid. Elsewhere the folder alone keeps others out.
_PEERCRED = getattr(socket, "SO_PEERCRED", None)
_CREDENTIALS = struct.Struct("=iII")


def require_own_peer(transport: BaseTransport) -> None:
    """Refuse a connection whose other end is another user's.

    The kernel says whose it was when it connected, or began to listen: nothing that the other end
    sends counts.

    Raises:
        PermissionError: it is another user's, or cannot be told.
    """
    connection = transport.get_extra_info("socket")
    if connection is None:
        raise PermissionError("a link without a socket")
    if _PEERCRED is not None:
        uid = _uid_of_peer(connection.fileno())
        if uid != os.geteuid():
            raise PermissionError(f"the other end of a link is user {uid}'s")


def require_own_folder(folder: Path) -> None:
    """Refuse a folder that is not this user's alone; a link to one is none.

    Raises:
        FileNotFoundError: there is none.
        PermissionError: it is another user's, or others may enter it.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} is no folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is user {found.st_uid}'s")
    if found.st_mode & 0o077:
        raise PermissionError(f"{folder} is open to others")


def _uid_of_peer(descriptor: int) -> int:
    # uvloop's sockets have no options; a socket on a copy of the descriptor has.
    with socket.socket(fileno=os.dup(descriptor)) as own:
        assert _PEERCRED is not None
        found = own.getsockopt(socket.SOL_SOCKET, _PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(found)[1]
    return uid
