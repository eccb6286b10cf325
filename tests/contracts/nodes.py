"""Stops nodes that tests have started."""

from __future__ import annotations

from cluster.node.node import Node


def stop_whole(node: Node) -> None:
    """Stop a node; if that is interrupted, try again, so that no half of a node is left."""
    try:
        node.stop()
    except KeyboardInterrupt:
        node.stop()
        raise
