"""Processor time by role, of the processes of one Quorum and of everything else."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import psutil

from loadtests.bench.cost import used_s
from loadtests.memory import role_of

CLIENT = "client"
REST = "rest of Ray"
"""Processes of the node that are on no request's way: raylet, GCS, controller, agents."""
STORES = ("PostgreSQL", "Redis")
ON_THE_WAY = ("HAProxy", "Ingress", "Combiner", "FeatureFetch")


class Usage(NamedTuple):
    """Seconds of processor time since some moment.

    Attributes:
        by_role: role -> seconds of its processes.
        machine_s: seconds of all processes of the machine.
    """

    by_role: Mapping[str, float]
    machine_s: float

    def since(self, before: Usage) -> Usage:
        """Return what was used after `before`. A process that has ended meanwhile counts as 0."""
        roles = {
            role: max(0.0, used - before.by_role.get(role, 0.0))
            for role, used in self.by_role.items()
        }
        return Usage(roles, self.machine_s - before.machine_s)


class Watch:
    """Reads the processor time of some processes by role.

    Args:
        processes: returns them as they are now; slow.
    """

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self._processes = processes
        self._roles: dict[psutil.Process, str] = {}

    def look(self) -> None:
        """Find the processes anew."""
        self._roles = {p: role for p in self._processes() if (role := _role(p)) is not None}

    def counts(self) -> Counter[str]:
        """Return the number of processes of each role."""
        return Counter(self._roles.values())

    def read(self) -> Usage:
        """Return what the known processes, this one and the machine have used so far."""
        found = {CLIENT: used_s(psutil.Process())}
        for process, role in self._roles.items():
            found[role] = found.get(role, 0.0) + used_s(process)
        times = psutil.cpu_times()
        waiting = times.idle + getattr(times, "iowait", 0.0) + getattr(times, "steal", 0.0)
        # `guest` is a part of `user`.
        counted = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return Usage(found, counted - waiting)


def _role(process: psutil.Process) -> str | None:
    with contextlib.suppress(psutil.Error):
        role = role_of(process.name(), " ".join(process.cmdline()))
        known = role in (*ON_THE_WAY, *STORES) or (role or "").startswith("variant-")
        return role if known or role is None else REST
    return None
