"""Free ports for servers of tests, which run beside other servers."""

from __future__ import annotations

import contextlib
import random
import socket

from cluster.embedded.endpoint import is_free

_AT_ONCE = 50
# Below the range from which systems assign ports.
_LOWEST, _HIGHEST = 20_000, 29_900


def free_ports(n: int) -> list[int]:
    """Return n different ports at which no process listens now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(n)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def serve_ports() -> dict[str, str]:
    """Return variables that give a node's Serve its own ports behind the HTTP port.

    Without them all Serves of a machine use the same ports, replicas from 30000 on.
    """
    while True:
        first = random.randrange(_LOWEST, _HIGHEST, _AT_ONCE)
        ports = range(first, first + _AT_ONCE)
        if all(map(is_free, ports)):
            return {
                "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports[0]),
                "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports[1]),
                "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports[-1]),
            }
