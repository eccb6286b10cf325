"""What `quorum join` does: this machine becomes a node of a Quorum that runs elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any

from cluster.errors import CommandFailed
from cluster.home import settings_file
from cluster.home.private_folder import make_private
from cluster.membership.shared import require_same_stores, require_shared
from cluster.node.addresses import with_port
from cluster.node.deploy import wait_ready
from cluster.node.gcs import Gcs
from cluster.node.machine import check_machine
from cluster.node.node import Node
from cluster.terminal.console import step
from settings.settings import Settings


def join(head: str, host: str | None, timeout_s: float) -> dict[str, Any]:
    """Start a node beside the head, and wait until it is ready.

    Nothing of it is left running if this fails.

    Args:
        head: `host` or `host:port` of the head.
        host: this machine's address for other nodes; None: QUORUM_HOST, else the one from which the
            head is reached.
        timeout_s: longest wait for the node's own replicas.

    Returns:
        `url`, `own_url` (metrics and readiness of this node), `head`, `seconds` from the start of
        Ray to the first answer that the node is ready.

    Raises:
        CommandFailed: this machine cannot join; says why.
    """
    settings = _settings(head, host)
    node = Node.of(settings)
    with step("Check the machine"):
        require_shared(settings)
        if check_machine(node):
            raise CommandFailed(
                "this node runs already", "`quorum status` shows it; `quorum leave` ends it"
            )
    with step("Check against the head") as running:
        _check_against_head(settings, node)
        running.result = f"like the head at {node.address}"
    started = time.monotonic()
    try:
        with step("Ray"):
            make_private(node.home)
            node.start()
        with step("Ready") as running:
            wait_ready(node.own_url, timeout_s=timeout_s, note=running.note)
    except BaseException:
        node.stop()
        raise
    seconds = round(time.monotonic() - started, 1)
    settings_file.keep(settings.home, {"QUORUM_HEAD": node.head, "QUORUM_HOST": node.host})
    return {"url": node.url, "own_url": node.own_url, "head": node.address, "seconds": seconds}


def _settings(head: str, host: str | None) -> Settings:
    """Return the settings of this node, which its processes will have too."""
    before = Settings.load()
    address = with_port(head, before.ray_port)
    os.environ["QUORUM_HEAD"] = address
    if host is None and not before.several_nodes:
        host = _address_towards(address)
    if host is not None:
        os.environ["QUORUM_HOST"] = host
    settings = Settings.load()
    if not settings.several_nodes:
        raise CommandFailed(
            f"{settings.host} is an address of this machine alone",
            "give the address that the other nodes reach with --host",
            2,
        )
    return settings


def _address_towards(address: str) -> str:
    """Return the address of this machine from which `address` is reached."""
    host, _, port = address.rpartition(":")
    try:
        kind, _, _, _, to = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect(to)  # sends nothing
            return str(probe.getsockname()[0])
    except OSError as error:
        raise CommandFailed(
            f"no way to {host}: {error.strerror or error}", "check the address of the head"
        ) from error


def _check_against_head(settings: Settings, node: Node) -> None:
    gcs = Gcs(node.address)
    cluster_id = gcs.cluster_id()
    if cluster_id is None:
        raise CommandFailed(
            f"the Ray at {node.address} belongs to no Quorum of several nodes",
            "start its head with `quorum up --host ADDRESS`",
        )
    if any(there.host == node.host and there.state == "alive" for there in gcs.nodes()):
        raise CommandFailed(
            f"a node with the address {node.host} is there already",
            "give another address with --host, or wait until the head has missed the old node",
        )
    asyncio.run(require_same_stores(settings, cluster_id))
