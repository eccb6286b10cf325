"""Checks of this machine before a node starts."""

from __future__ import annotations

from cluster.node.node import OBJECT_STORE_BYTES, Node
from cluster.node.ports import require_free
from cluster.node.preflight import (
    check_disk,
    check_front,
    check_memory,
    check_ports,
    check_python,
    check_shared_memory,
    raise_open_files,
)


def check_machine(node: Node) -> bool:
    """Check that this machine can run a node. Returns whether the node runs already.

    Raises:
        CommandFailed: it cannot; names what is missing.
    """
    check_python()
    check_disk(node.home)
    raise_open_files()
    check_ports(node.ports)
    if node.several:
        check_front(node.http_host)
    if node.running:
        return True
    check_memory()
    check_shared_memory(OBJECT_STORE_BYTES)
    node.stop()  # processes left by a crash hold ports
    require_free(node.ports)
    return False
