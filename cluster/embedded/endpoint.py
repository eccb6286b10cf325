"""The address of an embedded server: a loopback port, chosen once, and its password."""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from stores.whole_file import replace_file


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port of 127.0.0.1, and the password of the server there."""

    port: int
    password: str

    def __repr__(self) -> str:
        return f"Endpoint(port={self.port}, password=…)"


def read_endpoint(path: Path) -> Endpoint | None:
    """Return the endpoint that was chosen before, None if it cannot be read."""
    try:
        return Endpoint(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def choose(path: Path) -> Endpoint:
    """Return the endpoint to listen at: the remembered one, with a new port if its own is taken."""
    before = read_endpoint(path)
    if before is not None and is_free(before.port):
        return before
    password = before.password if before is not None else secrets.token_urlsafe(24)
    chosen = Endpoint(free_port(), password)
    replace_file(path, (json.dumps(asdict(chosen)) + "\n").encode())
    return chosen


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether no process listens at a port."""
    with socket.socket() as probe:
        # As servers do: a connection in TIME_WAIT does not take a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 at which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
