"""Tries what another user of this machine can do with our sockets, ports and files.

`Stranger` runs this module as a program, which changes from root to another user first. Only root
can do so; without root, tests that need it are skipped.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 — sockets need it, and a stranger may not read our Python
import errno
import json
import os
import pwd
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

NAME = "nobody"

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can try things as another user"
)

_PATIENCE_S = 3.0


class Stranger:
    """Another user of this machine; see `needs_root`.

    Args:
        name: an account that the machine has.
    """

    def __init__(self, name: str = NAME) -> None:
        self._name = name

    def can_open(self, paths: Sequence[Path]) -> dict[str, str]:
        """Return what the user can do with files, folders and sockets: path -> read, write,
        connect. Paths with which nothing can be done are absent."""
        return dict(self._do("can_open", [str(path) for path in paths]))

    def answers(self, conversations: Sequence[tuple[Any, list[bytes]]]) -> list[list[bytes]]:
        """Send messages to addresses, each on a connection of its own.

        Args:
            conversations: addresses (`(host, port)` or the path of a Unix socket), each with the
                messages to send.

        Returns:
            For each address and message the first bytes of the answer; `REFUSED` if the connection
            is refused, b"" if there is no answer.
        """
        asked = [[where, [part.hex() for part in parts]] for where, parts in conversations]
        answers = self._do("answers", asked)
        return [[bytes.fromhex(one) for one in answer] for answer in answers]

    def _do(self, what: str, arguments: Any) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tests.contracts.stranger", self._name],
            input=json.dumps([what, arguments]),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


REFUSED = b"refused"


def _can_open(paths: list[str]) -> list[tuple[str, str]]:
    found = []
    for path in paths:
        can = [name for name, attempt in _ATTEMPTS.items() if _works(attempt, path)]
        if can:
            found.append((path, ", ".join(can)))
    return found


def _works(attempt: Callable[[str], None], path: str) -> bool:
    try:
        attempt(path)
    except OSError as error:
        # Any other error means that access was granted.
        return error.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR) and (
            stat.S_ISREG(_mode(path)) or stat.S_ISDIR(_mode(path))
        )
    return True


def _mode(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.lstat(path).st_mode
    return 0


def _read(path: str) -> None:
    if stat.S_ISSOCK(os.stat(path).st_mode):
        raise PermissionError(errno.EACCES, "a socket")
    if stat.S_ISDIR(os.stat(path).st_mode):
        os.listdir(path)
    else:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def _write(path: str) -> None:
    if stat.S_ISSOCK(os.stat(path).st_mode):
        raise PermissionError(errno.EACCES, "a socket")
    if stat.S_ISDIR(os.stat(path).st_mode):
        planted = os.path.join(path, "planted-by-a-stranger")
        os.close(os.open(planted, os.O_CREAT | os.O_WRONLY, 0o600))
        os.unlink(planted)
    else:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))


def _connect(path: str) -> None:
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise PermissionError(errno.EACCES, "not a socket")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE_S)
        connection.connect(path)


_ATTEMPTS: dict[str, Callable[[str], None]] = {
    "read": _read,
    "write": _write,
    "connect": _connect,
}


def _answers(conversations: list[tuple[Any, list[str]]]) -> list[list[str]]:
    return [
        [_answer(where, bytes.fromhex(part)).hex() for part in parts]
        for where, parts in conversations
    ]


def _answer(where: Any, message: bytes) -> bytes:
    try:
        with _connected(where) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.sendall(message)
            return connection.recv(4096)
    except TimeoutError:
        return b""
    except OSError as error:
        cut = isinstance(error, ConnectionResetError | BrokenPipeError)
        return b"" if cut else REFUSED


def _connected(where: Any) -> socket.socket:
    if isinstance(where, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_PATIENCE_S)
        connection.connect(where)
        return connection
    return socket.create_connection((where[0], where[1]), timeout=_PATIENCE_S)


def _become(name: str) -> None:
    account = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    assert os.geteuid() != 0


def main() -> None:
    """Become another user, do what stdin asks for, print the result."""
    what, arguments = json.load(sys.stdin)
    _become(sys.argv[1])
    print(json.dumps({"can_open": _can_open, "answers": _answers}[what](arguments)))


if __name__ == "__main__":
    main()
