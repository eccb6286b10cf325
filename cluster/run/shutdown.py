"""What `quorum down` does: it stops whatever of a Quorum is running."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from cluster.home import local_stores
from cluster.node.node import Node
from cluster.terminal.console import step

if TYPE_CHECKING:
    from settings.settings import Settings


def bring_down(settings: Settings, drain_s: float) -> dict[str, Any]:
    """Stop the applications, Ray with HAProxy, Redis and PostgreSQL, as far as they run.

    Args:
        drain_s: longest wait for requests in flight. A request that is cut off gets no answer;
            decisions that were answered are on disk.

    Returns:
        `stopped`: the names of what was running; `seconds`.

    Raises:
        CommandFailed: this node is not the head.
    """
    started = time.monotonic()
    node = Node.of(settings)
    if node.head is not None:
        raise CommandFailed(
            "this machine is one node of several", "`quorum leave` ends it; the others go on"
        )
    stopped = []
    if node.running:
        with step("Drain"):
            _drain(node, drain_s)
    if node.processes():
        with step("Ray and HAProxy") as running:
            running.result = f"{node.stop()} processes"
            stopped.append("Ray")
    node.forget_state()
    with step("Stores") as running:
        embedded = local_stores.stop(settings.home)
        running.result = ", ".join(embedded) or "none was running"
    return {
        "stopped": [*stopped, *embedded],
        "seconds": round(time.monotonic() - started, 1),
    }


def _drain(node: Node, drain_s: float) -> None:
    """Ask Serve to shut down, and wait for it at most `drain_s` seconds."""
    with contextlib.suppress(OSError, CommandFailed):
        node.dashboard.shut_down_serve(drain_s)
