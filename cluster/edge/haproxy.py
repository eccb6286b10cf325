"""The real HAProxy as a process: start it, query it, notice its end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from cluster.edge.files import EdgeFiles

START_S = 10.0
_QUERY_S = 5.0


class NotStarted(Exception):
    """HAProxy does not start; the message is its output."""


def query(path: Path, command: str) -> bytes:
    """Return the answer of an admin socket to a command.

    Raises:
        OSError: it does not answer.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_QUERY_S)
        client.connect(str(path))
        client.sendall(command.encode() + b"\n")
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def running_pid(path: Path) -> int | None:
    """Return the process id of the HAProxy at an admin socket, None if none answers."""
    try:
        for line in query(path, "show info").splitlines():
            if line.startswith(b"Pid:"):
                return int(line[4:])
    except (OSError, ValueError):
        pass
    return None


def start(program: Path, files: EdgeFiles) -> int:
    """Start HAProxy with the configuration of `files`. It replaces one that runs already.

    The new process takes over the listening sockets, so that no connection is refused. The old one
    ends when its requests are answered. Returns the new process id once it answers.

    Raises:
        NotStarted: HAProxy does not start. The old process goes on.
    """
    old = running_pid(files.commands)
    # No SO_REUSEPORT: a second listener would take half of the connections.
    arguments = [str(program), "-db", "-dR", "-f", str(files.config)]
    if old is not None:
        arguments += ["-sf", str(old), "-x", str(files.commands)]
    with files.log.open("ab") as log:
        began = log.tell()
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if running_pid(files.commands) == process.pid:
            return process.pid
        if process.poll() is not None:
            break
        time.sleep(0.01)
    else:
        process.kill()
        process.wait()
    with files.log.open("rb") as log:
        log.seek(began)
        output = log.read().decode(errors="replace").strip()
    raise NotStarted(output or f"exit code {process.returncode}")


def has_ended(pid: int) -> bool:
    """Return whether a process has ended, ours or not; reaps it if it is our child."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not Path(f"/proc/{pid}").exists()
