"""What `quorum down` does: the reverse of starting up, for as much of it as is there."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from cluster.home import stores
from cluster.node.node import Node
from cluster.terminal.terminal import CommandFailed, step

if TYPE_CHECKING:
    from settings.settings import Settings


def bring_down(settings: Settings, drain_s: float) -> dict[str, Any]:
    """Stop applications, Ray with HAProxy, Redis, PostgreSQL. What is not up is passed over.

    Args:
        drain_s: longest wait for requests in flight. A decision that a client has seen is on
            disk; what is cut off here gets no answer.

    Returns:
        `stopped`: names of what was up; `seconds`.
    """
    started = time.monotonic()
    node = Node.of(settings)
    stopped = []
    if node.running:
        with step("Drain"):
            _drain(node, drain_s)
    if node.processes():
        with step("Ray and HAProxy") as going_on:
            going_on.result = f"{node.stop()} processes"
            stopped.append("Ray")
    with step("Stores") as going_on:
        embedded = stores.stop(settings.home)
        going_on.result = ", ".join(embedded) or "none was up"
    return {
        "stopped": [*stopped, *embedded],
        "seconds": round(time.monotonic() - started, 1),
    }


def _drain(node: Node, drain_s: float) -> None:
    """Ask Serve to end and wait until it has, or has had its time."""
    with contextlib.suppress(OSError, CommandFailed):
        node.dashboard.shut_down_serve(drain_s)
