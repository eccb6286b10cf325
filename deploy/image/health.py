"""The health check of the image: exit code 0 if the node of this container says that it is well.

    python -S -E health.py [live|ready]

`live` (the default) is for what restarts a container that hangs, `ready` for what sends requests to
it. It uses the standard library alone and starts in a few hundredths of a second.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

PATHS = {"live": "/v2/health/live", "ready": "/v2/health/ready"}
TIMEOUT_S = 2.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — compared, not listened at


def front(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return the address and the port at which this node answers for itself alone: the HTTP port
    may lead to another node."""
    host = environment.get("QUORUM_HTTP_HOST", "127.0.0.1")
    return _EVERY_ADDRESS.get(host, host), int(environment.get("QUORUM_NODE_PORT", "8001"))


def healthy(address: tuple[str, int], path: str) -> bool:
    """Return whether a GET of `path` is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(address, timeout=TIMEOUT_S) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                status = answer.readline(64).split()
    except OSError:
        return False
    return len(status) > 1 and status[1] == b"200"


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "live"
    if asked not in PATHS:
        sys.exit(f"usage: health.py [{'|'.join(PATHS)}]")
    sys.exit(0 if healthy(front(os.environ), PATHS[asked]) else 1)
