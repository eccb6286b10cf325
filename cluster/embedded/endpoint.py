"""Where an embedded server listens: a loopback port, chosen once, and its password."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port of 127.0.0.1 and the password that the server behind it asks for."""

    port: int
    password: str

    def __repr__(self) -> str:
        return f"Endpoint(port={self.port}, password=…)"


def remembered(path: Path) -> Endpoint | None:
    """The endpoint that was chosen before, None if there is none to be read."""
    try:
        return Endpoint(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def choose(path: Path) -> Endpoint:
    """The endpoint to listen at: the remembered one, with another port if its own is taken."""
    before = remembered(path)
    if before is not None and is_free(before.port):
        return before
    password = before.password if before is not None else secrets.token_urlsafe(24)
    chosen = Endpoint(free_port(), password)
    write_private(path, json.dumps(asdict(chosen)) + "\n")
    return chosen


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens at a port."""
    with socket.socket() as probe:
        # As servers do: a connection that lingers in TIME_WAIT does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_private(path: Path, text: str) -> None:
    """Replace a file at once by one that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    draft.replace(path)
