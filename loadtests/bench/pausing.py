"""Holds still whoever is not measured: what idles takes time from whoever is.

A Ray node that does nothing keeps a seventh of two cores busy. The processes are stopped and go on
later; a little process of its own does both, and goes on with them even if the benchmark is killed.
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
def tell(what):
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            pass
for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_IGN)
tell(signal.SIGSTOP)
print(flush=True)
sys.stdin.read()
tell(signal.SIGCONT)
"""


class Pause:
    """Processes that are held still until `end`."""

    def __init__(self, processes: Iterable[psutil.Process]) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, *(str(p.pid) for p in processes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._guard.stdout is not None
        self._guard.stdout.readline()

    def end(self) -> None:
        """Let them go on."""
        # Closes its stdin, at which it lets them go on.
        self._guard.communicate(timeout=_WAIT_S)
