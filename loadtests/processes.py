"""The processes of a Quorum on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil


class NoNode(Exception):
    """No Ray node of this Quorum runs here."""


def processes(home: Path) -> Iterator[psutil.Process]:
    """Every process of the Quorum whose `$QUORUM_HOME` is `home`: its stores and its Ray node.

    Servers that are not started by `quorum up` (an outside PostgreSQL, say) are not among them.
    """
    home = home.resolve()
    ours = {process.pid: process for process in psutil.process_iter() if _belongs(process, home)}
    for process in list(ours.values()):
        # Workers overwrite what their environment shows, but stay children of ours.
        with contextlib.suppress(psutil.Error):
            ours.update((child.pid, child) for child in process.children(recursive=True))
    yield from ours.values()


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
    raise NoNode(f"no Ray node of {home} runs on this machine: --no-op needs one")


def _belongs(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.name() in ("postgres", "redis-server"):
            return home in Path(process.cwd()).parents
        return process.environ().get("QUORUM_HOME") == str(home)
    return False
