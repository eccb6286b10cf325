"""What `quorum leave` does: this node ends, and the others go on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable
from typing import Any

from cluster.errors import CommandFailed
from cluster.home.connection import database_url
from cluster.node.foreground import run_in_foreground
from cluster.node.gcs import Gcs
from cluster.node.node import Node
from cluster.terminal.console import step
from fraud.errors import StoreUnavailable
from settings.settings import Settings

FOREGROUND_GRACE_S, FOREGROUND_DRAIN_S = 2.0, 8.0
"""For a node in the foreground. Containers have ten seconds or more to end by themselves."""
_POLL_S = 0.5


def leave(settings: Settings, grace_s: float, drain_s: float) -> dict[str, Any]:
    """Drain this node and end it.

    It is not ready first, so that load balancers send requests elsewhere. Then Serve moves its
    replicas, which ship their records. A head keeps Ray's state: the others go on without it until
    it is back, ten minutes at most.

    Args:
        grace_s: wait after it is not ready, until load balancers have noticed.
        drain_s: longest wait for the replicas.

    Returns:
        `drained`: whether no replica was left; `processes`: how many ended; `waiting`: folders of
        the decision log that PostgreSQL does not have yet; `seconds`.
    """
    began = time.monotonic()
    node = Node.of(settings)
    settings.leaving.parent.mkdir(parents=True, exist_ok=True)
    settings.leaving.touch()
    drained = False
    try:
        if node.running:
            with step("Not ready"):
                time.sleep(grace_s)
            if node.head is not None:
                with step("Drain") as running:
                    drained = _drain(node, drain_s)
                    running.result = "done" if drained else "not finished in time"
        with step("Ray and HAProxy") as running:
            ended = node.stop()
            running.result = f"{ended} processes"
        with step("Log") as running:
            waiting = asyncio.run(_ship_rest(settings))
            running.result = f"{waiting} writers' records wait here" if waiting else "shipped"
    except BaseException:
        settings.leaving.unlink(missing_ok=True)
        raise
    # The file stays until the node is started again: one that runs in the foreground has left, and
    # has not failed.
    seconds = round(time.monotonic() - began, 1)
    return {"drained": drained, "processes": ended, "waiting": waiting, "seconds": seconds}


def leave_in_foreground(start: Callable[[], None]) -> None:
    """Start a node, wait while it runs, and leave in order at the end.

    Args:
        start: starts the node of this machine.

    Raises:
        CommandFailed: the node ended by itself.
    """
    run_in_foreground(
        start,
        lambda: Node.of(Settings.load()).running,
        lambda: _leave_quickly(Settings.load()),
        left=lambda: Settings.load().leaving.exists(),
    )


def _leave_quickly(settings: Settings) -> None:
    if Node.of(settings).processes():
        leave(settings, FOREGROUND_GRACE_S, FOREGROUND_DRAIN_S)


async def _ship_rest(settings: Settings) -> int:
    """Ship what replicas have left in the log of this machine: most ship all of it as they end.

    Returns:
        How many writers' folders could not be shipped. Nothing in them is lost.
    """
    from decision_log.lost_machine import ROOT, LogRefused, LostMachine, find_log
    from decision_log.shipping.postgres_sink import PostgresSink

    try:
        found = find_log(settings.home / ROOT)
    except LogRefused:
        return 0  # no decision was made here
    sink = PostgresSink(database_url(settings))
    machine = LostMachine(sink, settings.home / ROOT)
    waiting = set(found.writers)
    try:
        for folder in found.writers:
            shipped = await machine.ship(folder)
            if not (shipped.failed or shipped.alive):
                waiting.discard(folder)
    except StoreUnavailable:
        pass  # PostgreSQL is away
    finally:
        await sink.close()
    return len(waiting)


def _drain(node: Node, drain_s: float) -> bool:
    """Have Serve move the replicas of this node. Returns whether it has, in time.

    Without the head nobody can: the replicas end with the node, and others take their place.
    """
    with contextlib.suppress(CommandFailed, OSError, http.client.HTTPException):
        gcs = Gcs(node.address)
        own = [n.node_id for n in gcs.nodes() if n.host == node.host and n.state == "alive"]
        deadline = time.time() + drain_s
        for node_id in own:
            gcs.drain(node_id, int(deadline * 1000))
        while time.time() < deadline:
            if not _replicas_here(node):
                return True
            time.sleep(_POLL_S)
    return False


def _replicas_here(node: Node) -> int:
    """Return how many replicas this node has that have not ended."""
    applications = node.dashboard.serve_details().get("applications", {}).values()
    return sum(
        replica.get("node_ip") == node.host
        for application in applications
        for deployment in application.get("deployments", {}).values()
        for replica in deployment.get("replicas", ())
    )
