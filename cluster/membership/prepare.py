"""What `quorum prepare` does: a machine becomes ready for a Ray that another program starts."""

from __future__ import annotations

import asyncio

from cluster.membership.shared import registered, require_same_stores, require_shared
from cluster.node.machine import check_machine
from cluster.node.node import Node
from settings.settings import Settings


def prepared_environment(settings: Settings) -> dict[str, str]:
    """Check this machine, write the files of its node, and return the node's environment.

    Raises:
        CommandFailed: the machine, a setting or a shared store is not fit; says why.
    """
    require_shared(settings)
    node = Node.of(settings)
    check_machine(node)
    found = asyncio.run(registered(settings))
    if found is not None:  # None: `quorum migrate` has run, but no head yet
        asyncio.run(require_same_stores(settings, found.cluster_id))
    node.prepare()
    return node.environment()
