"""The real HAProxy as a process: started, asked, ended."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from cluster.edge.files import EdgeFiles

START_S = 10.0
_ASK_S = 5.0


class NotStarted(Exception):
    """HAProxy does not start; the message is what it said."""


def ask(path: Path, command: str) -> bytes:
    """What an admin socket answers.

    Raises:
        OSError: nobody answers there.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ASK_S)
        client.connect(str(path))
        client.sendall(command.encode() + b"\n")
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def running_pid(path: Path) -> int | None:
    """Process id of the HAProxy that answers at an admin socket; None: none does."""
    try:
        for line in ask(path, "show info").splitlines():
            if line.startswith(b"Pid:"):
                return int(line[4:])
    except (OSError, ValueError):
        pass
    return None


def start(program: Path, place: EdgeFiles) -> int:
    """Run HAProxy on the configuration of `place`, in place of one that runs there already.

    It takes over the listening sockets, so that no connection is refused, and the old one goes when
    its requests are answered. Returns its process id once it answers.

    Raises:
        NotStarted: it does not. What ran before goes on.
    """
    old = running_pid(place.commands)
    # No SO_REUSEPORT: a second listener would take half of the connections.
    arguments = [str(program), "-db", "-dR", "-f", str(place.config)]
    if old is not None:
        arguments += ["-sf", str(old), "-x", str(place.commands)]
    with place.log.open("ab") as log:
        began = log.tell()
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if running_pid(place.commands) == process.pid:
            return process.pid
        if process.poll() is not None:
            break
        time.sleep(0.01)
    else:
        process.kill()
        process.wait()
    with place.log.open("rb") as log:
        log.seek(began)
        said = log.read().decode(errors="replace").strip()
    raise NotStarted(said or f"exit code {process.returncode}")


def died(pid: int) -> bool:
    """Whether a process has ended, whoever started it; takes note of our own children."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not Path(f"/proc/{pid}").exists()
