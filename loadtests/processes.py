"""The processes of a Quorum on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

STORES = ("postgres", "redis-server")
"""Names of the stores' processes."""


class NoNode(Exception):
    """No Ray node of this Quorum runs on this machine."""


def processes(home: Path) -> Iterator[psutil.Process]:
    """Yield every process of the Quorum whose `$QUORUM_HOME` is `home`: its stores and Ray node.

    Servers that `quorum up` did not start, such as an external PostgreSQL, are left out.
    """
    home = home.resolve()
    # Workers overwrite their visible environment, but stay descendants of ours.
    yield from with_children(lambda process: _belongs(process, home))


def node_processes(home: Path) -> list[psutil.Process]:
    """Return the processes of its Ray node alone, HAProxy included."""
    mark = str(home.resolve())
    return with_children(lambda process: _of_node(process, mark))


def with_children(wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Return the processes that `wanted` accepts, with all their descendants."""
    below: dict[int, list[psutil.Process]] = {}
    rest: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            below.setdefault(process.ppid(), []).append(process)
            if wanted(process):
                rest.append(process)
    found: dict[int, psutil.Process] = {}
    while rest:
        process = rest.pop()
        if process.pid not in found:
            found[process.pid] = process
            rest += below.get(process.pid, ())
    return list(found.values())


def ray_environment(home: Path) -> dict[str, str]:
    """Return the `RAY_` variables of the node, which a deployment on it needs as well.

    Raises:
        NoNode: no node is running.
    """
    for process in processes(home):
        with contextlib.suppress(psutil.Error):
            if process.name() == "raylet":
                found = process.environ().items()
                return {name: value for name, value in found if name.startswith("RAY_")}
    raise NoNode(f"no Ray node of {home} runs on this machine: the no-op app needs one")


def name_of(process: psutil.Process) -> str:
    """Return the name of its executable, "" if the process has ended."""
    with contextlib.suppress(psutil.Error):
        return str(process.name())
    return ""


def _of_node(process: psutil.Process, home: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        environment = process.environ()
        # `quorum up` marks the environment of the node; other commands only have the same home.
        return environment.get("QUORUM_HOME") == home and "QUORUM_NODE" in environment
    return False


def _belongs(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.name() in STORES:
            return home in Path(process.cwd()).parents
        return process.environ().get("QUORUM_HOME") == str(home)
    return False
