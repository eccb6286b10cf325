"""Processor time and memory of an app and its stores."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable

import psutil

SETTLED_CORES = 0.1
"""Below this much above idling, an app has finished the work that was left."""
_LONGEST_SETTLING_S = 5.0
_LOOK_S = 0.25


class Meter:
    """Processor time of some processes.

    Args:
        processes: returns the processes that count, as they are now.
    """

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self._processes = processes
        self._known: set[psutil.Process] = set()
        self._idle_cores = 0.0

    def look(self) -> None:
        """Find processes that are new since the last time. Slow: call it outside measurements."""
        self._known = {p for p in self._known if p.is_running()} | set(self._processes())

    def read_s(self) -> float:
        """Return the seconds that known processes and their ended children have used so far. Only
        the difference of two readings has a meaning."""
        return sum(used_s(process) for process in self._known)

    async def learn_idle(self, seconds: float) -> float:
        """Measure the idle processes for a while. Returns cores."""
        self.look()
        before, began = self.read_s(), time.perf_counter()
        await asyncio.sleep(seconds)
        self._idle_cores = (self.read_s() - before) / (time.perf_counter() - began)
        return self._idle_cores

    async def settle(self) -> float:
        """Wait until the work left after a load is done, such as records on their way. Returns the
        seconds of processor time beyond idling."""
        begin_s = before_s = self.read_s()
        began = before = time.perf_counter()
        while True:
            await asyncio.sleep(_LOOK_S)
            used_s, now = self.read_s(), time.perf_counter()
            cores = (used_s - before_s) / (now - before)
            quiet = cores <= self._idle_cores + SETTLED_CORES
            if quiet or now - began > _LONGEST_SETTLING_S:
                return max(0.0, used_s - begin_s - self._idle_cores * (now - began))
            before_s, before = used_s, now


def tree(root: psutil.Process) -> list[psutil.Process]:
    """Return a process and its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [root, *root.children(recursive=True)]
    return []


def resident_mib(processes: Iterable[psutil.Process]) -> float:
    """Return memory in MiB; shared pages are divided among their processes."""
    return sum(_resident(process) for process in processes) / 2**20


def used_s(process: psutil.Process) -> float:
    """Return the seconds of processor time that a process and its ended children have used; 0 if it
    cannot be read."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        # Children that have ended and been waited for count too. Otherwise a server that forks
        # for each task would hide its work.
        ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        return float(times.user + times.system + ended)
    return 0.0


def _resident(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        full = process.memory_full_info()
        return float(getattr(full, "pss", full.rss))
    return 0.0
