"""How many nodes carry replicas, as the scheduler of Serve's controller sees it."""

from __future__ import annotations

_count = 1


def serving_nodes() -> int:
    """Return the number of nodes that carry replicas; 1 before Serve has looked."""
    return _count


def note_serving_nodes(count: int) -> None:
    """Note the number of nodes that carry replicas. None at all counts as one: replicas wait for
    the first."""
    global _count
    _count = max(1, count)
