"""Server processes of ours: start them detached, find them again, end them.

A pid file may be stale, and its pid taken by another process. Servers are therefore found by their
executable's name and their working directory, which no other process shares.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from cluster.embedded.account import Account
from cluster.errors import CommandFailed

_PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    dies_with_us: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that it outlives us and gets none of our signals.

    Args:
        command: program and arguments.
        cwd: working directory, by which `find` finds the process.
        log: file that its output is appended to.
        account: user to run as; None: ours.
        environment: None: ours.
        dies_with_us: signal that the kernel sends to the process when we die (Linux only); None
            lets it live on.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 — programs of our own wheels
            [str(part) for part in command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            env=None if environment is None else dict(environment),
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=_death_signal(dies_with_us),
        )


def _death_signal(number: int | None) -> Callable[[], None] | None:
    if number is None or not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec nothing may be imported.
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, number)


def find(name: str, cwd: Path) -> list[psutil.Process]:
    """Return the running processes with this name and working directory, parents first."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != name:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == cwd:
                found.append(process)
    return sorted(found, key=lambda process: (process.create_time(), process.pid))


def end(processes: Sequence[psutil.Process], *, first: int, patience_s: float) -> None:
    """Send signal `first` to each, wait up to `patience_s`, then kill the rest."""
    _signal(processes, first)
    _, left = psutil.wait_procs(processes, timeout=patience_s)
    if left:
        _signal(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=10)


def _signal(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def await_ready(
    process: subprocess.Popen[bytes],
    ready: Callable[[], bool],
    *,
    log: Path,
    name: str,
    wait_s: float,
) -> None:
    """Wait until `ready()`.

    Raises:
        CommandFailed: the process ended, or is not ready after `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CommandFailed(f"{name} ended during its start: {last_line(log)}", f"see {log}")
        if ready():
            return
        time.sleep(0.02)
    raise CommandFailed(f"{name} is not ready after {wait_s:.0f} s: {last_line(log)}", f"see {log}")


def last_line(log: Path) -> str:
    """Return the last FATAL or PANIC line of a log, else its last line, in 200 characters."""
    with contextlib.suppress(OSError), log.open("rb") as f:
        f.seek(max(0, os.fstat(f.fileno()).st_size - 4096))
        lines = [line for line in f.read().decode(errors="replace").splitlines() if line.strip()]
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines
        if fatal:
            return fatal[-1].strip()[:200]
    return "its log is empty"
