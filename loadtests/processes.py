"""The processes of a Quorum on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

STORES = ("postgres", "redis-server")
"""Names of the stores' processes."""


class NoNode(Exception):
    """No Ray node of this Quorum runs here."""


def processes(home: Path) -> Iterator[psutil.Process]:
    """Every process of the Quorum whose `$QUORUM_HOME` is `home`: its stores and its Ray node.

    Servers that are not started by `quorum up` (an outside PostgreSQL, say) are not among them.
    """
    home = home.resolve()
    # Workers overwrite what their environment shows, but stay children of ours.
    yield from with_children(lambda process: _belongs(process, home))


def node_processes(home: Path) -> list[psutil.Process]:
    """Those of its Ray node alone, HAProxy included."""
    mark = str(home.resolve())
    return with_children(lambda process: _of_node(process, mark))


def with_children(wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """The processes that are wanted, and everything below them. Looks at each process once."""
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
    """The `RAY_` variables that the node runs with: whoever deploys on it needs the same.

    Raises:
        NoNode: there is none.
    """
    for process in processes(home):
        with contextlib.suppress(psutil.Error):
            if process.name() == "raylet":
                found = process.environ().items()
                return {name: value for name, value in found if name.startswith("RAY_")}
    raise NoNode(f"no Ray node of {home} runs on this machine: a no-op needs one")


def name_of(process: psutil.Process) -> str:
    """Of its executable, "" if it is gone."""
    with contextlib.suppress(psutil.Error):
        return str(process.name())
    return ""


def _of_node(process: psutil.Process, home: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        environment = process.environ()
        # `quorum up` marks what the node runs with; other commands have the same home.
        return environment.get("QUORUM_HOME") == home and "QUORUM_NODE" in environment
    return False


def _belongs(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.name() in STORES:
            return home in Path(process.cwd()).parents
        return process.environ().get("QUORUM_HOME") == str(home)
    return False
