"""Ends nodes that tests have started."""

from __future__ import annotations

from cluster.node.node import Node


def stop_whole(node: Node) -> None:
    """Stop a node; if that is interrupted in the middle, once more: half a node must not stay."""
    try:
        node.stop()
    except KeyboardInterrupt:
        node.stop()
        raise
