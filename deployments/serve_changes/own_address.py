"""Replicas listen at their node's address alone. Imported for its effect, before `ray.serve` is.

Serve's replicas accept gRPC calls of other deployments at every address of the machine. A node's
other servers listen at the node's address, which is 127.0.0.1 for a node of one machine. This
module makes the replicas do the same. It replaces a function that Ray does not document;
`tests/unit/deployments/serve_changes/test_own_address.py` fails when a release moves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray._common import tls_utils

_ANYWHERE = ("[::]:", "0.0.0.0:")
_add_port: Callable[[Any, str], int] = tls_utils.add_port_to_grpc_server


def _add_port_here(server: Any, address: str) -> int:
    for anywhere in _ANYWHERE:
        if address.startswith(anywhere):
            address = f"{_own_address()}:{address.removeprefix(anywhere)}"
    return _add_port(server, address)


def _own_address() -> str:
    from ray.util import get_node_ip_address

    own = str(get_node_ip_address())  # type: ignore[no-untyped-call]
    return f"[{own}]" if ":" in own else own


tls_utils.add_port_to_grpc_server = _add_port_here
