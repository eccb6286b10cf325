"""Who holds a port."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psutil

from cluster.embedded.endpoint import is_free
from cluster.errors import CommandFailed


def require_free(ports: Mapping[int, str]) -> None:
    """Refuse to go on while somebody listens at a port we need.

    Args:
        ports: port -> what we need it for.

    Raises:
        CommandFailed: one is taken; names the first one and who holds it.
    """
    for port, purpose in ports.items():
        # Ours listen at all interfaces: whoever holds one of them is in the way.
        if not (is_free(port) and is_free(port, "0.0.0.0")):  # noqa: S104 — a probe
            raise CommandFailed(
                f"port {port} ({purpose}) is taken by {holder(port)}",
                "stop that process, or `quorum down` if it is an earlier Quorum",
            )


def holder(port: int) -> str:
    """The process that listens at a port, as `name (pid 123)`; somebody else's may be hidden."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            at = connection.laddr
            if connection.status == psutil.CONN_LISTEN and at and at.port == port:
                return _named(connection.pid)
    return "a process that is not shown to us"


def _named(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    with contextlib.suppress(psutil.Error):
        return f"{psutil.Process(pid).name()} (pid {pid})"
    return f"pid {pid}"
