"""Stops the apps that are not being measured, because even idle apps take processor time.

An idle Ray node uses a seventh of two cores. A small guard process stops the processes and later
continues them, even if the benchmark is killed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import psutil

_WAIT_S = 10.0
_GUARD = """
import os, signal, sys
pids = [int(pid) for pid in sys.argv[1:]]
def send(number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_IGN)
send(signal.SIGSTOP)
print(flush=True)
sys.stdin.read()
send(signal.SIGCONT)
"""


class Pause:
    """Stops processes until `end`."""

    def __init__(self, processes: Iterable[psutil.Process]) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, *(str(p.pid) for p in processes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._guard.stdout is not None
        self._guard.stdout.readline()

    def end(self) -> None:
        """Continue the processes."""
        # Closes the stdin of the guard, which then continues them.
        self._guard.communicate(timeout=_WAIT_S)
