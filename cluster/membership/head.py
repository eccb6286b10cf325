"""What makes a node the head of several."""

from __future__ import annotations

import asyncio

from cluster.errors import CommandFailed
from cluster.membership.shared import register, registered
from cluster.node.gcs import Gcs, TokenRefused
from cluster.node.node import Node
from settings.settings import Settings


def refuse_second_head(settings: Settings, node: Node) -> None:
    """Refuse to start a head while another one runs on the same database.

    Raises:
        CommandFailed: the other head answers, or a Ray there that does not accept our token.
    """
    found = asyncio.run(registered(settings))
    if found is None or found.head == node.address:
        return
    try:
        other = Gcs(found.head).cluster_id()
    except TokenRefused:
        raise  # it may be that head, with a token that this machine does not have
    except CommandFailed:
        return  # it is gone: this node takes its place
    if other == found.cluster_id:
        raise CommandFailed(
            f"the head of this Quorum runs at {found.head}",
            f"`quorum join {found.head}` adds this machine; or stop that head first",
        )


def become_head(settings: Settings, node: Node) -> None:
    """Tell the nodes that join which stores and versions the cluster has."""
    Gcs(node.address).set_cluster_id(asyncio.run(register(settings, node.address)))
