"""Options of an edge in tests."""

from __future__ import annotations

from cluster.edge.options import EdgeOptions
from tests.contracts.ports import free_ports


def edge_options(*, spare: bool) -> EdgeOptions:
    """Options of a node of one machine, with a free port for its own front."""
    return EdgeOptions(spare=spare, host="127.0.0.1", own_front=f"127.0.0.1:{free_ports(1)[0]}")
