"""Resident memory of the processes of a Quorum on this machine, by role."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadtests.processes import STORES, name_of, node_processes, processes

_REPLICA = "ray::ServeReplica:"
# (part of a command line, role); the first match counts.
_RAY_ROLES = (
    ("ray::ServeController", "Serve controller"),
    ("ray::ProxyActor", "Serve proxy"),
    ("ray::HAProxyManager", "HAProxy manager"),
    ("ray::DashboardAgent", "Ray dashboard agent"),
    ("ray::RuntimeEnvAgent", "Ray runtime env agent"),
    ("ray::IDLE", "Ray idle worker"),
    ("ray::", "Ray other worker"),
    ("log_monitor.py", "Ray log monitor"),
    ("monitor.py", "Ray autoscaler"),
    ("runtime_env_agent", "Ray runtime env agent"),
    ("runtime_env/agent", "Ray runtime env agent"),
    ("dashboard/agent.py", "Ray dashboard agent"),
    ("dashboard_agent", "Ray dashboard agent"),
    ("dashboard", "Ray dashboard"),
)


@dataclass(frozen=True, slots=True)
class RoleMemory:
    """Memory of one role.

    Attributes:
        role: the purpose of the processes.
        processes: their number.
        rss_mib: resident; shared pages count in each process.
        pss_mib: resident; shared pages are divided among the processes that share them. None if
            the system does not report it.
    """

    role: str
    processes: int
    rss_mib: float
    pss_mib: float | None


def memory_by_role(home: Path) -> list[RoleMemory]:
    """Return the memory of the Quorum whose `$QUORUM_HOME` is `home`, the largest role first."""
    sizes: dict[str, list[tuple[int, int | None]]] = {}
    # Other commands have the same home, and are not part of the running system.
    stores = (p for p in processes(home) if name_of(p) in STORES)
    for process in (*node_processes(home), *stores):
        with contextlib.suppress(psutil.Error):
            role = role_of(process.name(), " ".join(process.cmdline()))
            if role is not None:
                sizes.setdefault(role, []).append(_size(process))
    found = [_summed(role, parts) for role, parts in sizes.items()]
    return sorted(found, key=lambda memory: -memory.rss_mib)


def role_of(name: str, command: str) -> str | None:
    """Return the role of a process of the stack, or None.

    Args:
        name: of its executable.
        command: its command line; workers of Ray put their title there.
    """
    at = command.find(_REPLICA)
    if at >= 0:
        # ray::ServeReplica:<application>:<deployment>
        parts = command[at + len(_REPLICA) :].split()[0].split(":")
        application, deployment = parts[0], parts[-1].partition(".")[0]
        return application if deployment == "Variant" else deployment
    for known in ("haproxy", "raylet", "gcs_server"):
        if name.startswith(known):
            return {"haproxy": "HAProxy", "gcs_server": "Ray GCS"}.get(known, "Ray raylet")
    if name == "postgres":
        return "PostgreSQL"
    if name.startswith("redis-server"):
        return "Redis"
    return next((role for part, role in _RAY_ROLES if part in command), None)


def _size(process: psutil.Process) -> tuple[int, int | None]:
    with contextlib.suppress(psutil.AccessDenied):
        full = process.memory_full_info()
        return full.rss, getattr(full, "pss", None)
    return process.memory_info().rss, None


def _summed(role: str, parts: list[tuple[int, int | None]]) -> RoleMemory:
    rss = sum(rss for rss, _ in parts) / 2**20
    known = [pss for _, pss in parts if pss is not None]
    pss = sum(known) / 2**20 if len(known) == len(parts) else None
    return RoleMemory(role, len(parts), rss, pss)
