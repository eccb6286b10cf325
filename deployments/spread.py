"""How replicas are spread over the nodes, as the scheduler of Serve's controller sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROLE_LABEL = "quorum-role"
"""Ray label of a node. Nodes with a role, such as `training`, carry no replicas."""

_nodes = 1
_needed: dict[Any, int] = {}


def serving_nodes() -> int:
    """Return the number of nodes that carry replicas; 1 before Serve has looked."""
    return _nodes


def needed_everywhere(deployment: Any) -> int:
    """Return the fewest replicas of a deployment with which every node has one, given where its
    replicas run now; 0 if that is not known.

    If two replicas run on one of two nodes, it is 3: the third goes to the other node. Then 2
    suffice, and one of the first two stops.
    """
    return _needed.get(deployment, 0)


def note_spread(nodes: int, needed: Mapping[Any, int]) -> None:
    """Note what the scheduler sees.

    Args:
        nodes: number of nodes that carry replicas. None at all counts as one: replicas wait for the
            first.
        needed: deployment -> see `needed_everywhere`.
    """
    global _nodes, _needed
    _nodes, _needed = max(1, nodes), dict(needed)
