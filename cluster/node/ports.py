"""Free ports, and the processes that hold taken ones."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psutil

from cluster.embedded.endpoint import is_free
from cluster.errors import CommandFailed


def require_free(ports: Mapping[int, str]) -> None:
    """Check that the ports we need are free.

    Args:
        ports: port -> its purpose.

    Raises:
        CommandFailed: a port is taken; names it and the process that holds it.
    """
    for port, purpose in ports.items():
        # We listen at all interfaces, so a process at any of them is in the way.
        if not (is_free(port) and is_free(port, "0.0.0.0")):  # noqa: S104 — a probe
            raise CommandFailed(
                f"port {port} ({purpose}) is taken by {holder(port)}",
                "stop that process, or `quorum down` if it is an earlier Quorum",
            )


def holder(port: int) -> str:
    """Return the process that listens at a port, as `name (pid 123)`, if we may see it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            at = connection.laddr
            if connection.status == psutil.CONN_LISTEN and at and at.port == port:
                return _named(connection.pid)
    return "an unknown process"


def _named(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    with contextlib.suppress(psutil.Error):
        return f"{psutil.Process(pid).name()} (pid {pid})"
    return f"pid {pid}"
