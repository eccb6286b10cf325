"""A Ray node for each module, in HAProxy mode, with the flags of production, on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.node import Node

_FOR_TESTS = {
    # Said outright for this node of loopback addresses, which lives for one run: unset, Ray decides
    # by whether some other Ray of this user has ever left a token behind.
    "RAY_AUTH_MODE": "disabled",
    # Reports every second, so that autoscaling shows within a test's patience.
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    # History that comes late on a busy machine is not what these tests are about.
    "QUORUM_REBUILD_WAIT_MS": "300",
}


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def quorum_home() -> Iterator[Path]:
    """An empty `$QUORUM_HOME` with a short path."""
    home = Path(tempfile.mkdtemp(prefix="quorum-home-"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def node(quorum_home: Path) -> Iterator[Node]:
    """A running Ray node; this process is connected to it. Everything it started is ended."""
    import ray

    node = Node(quorum_home, *(free_port() for _ in range(5)))
    before = dict(os.environ)
    os.environ.update(_FOR_TESTS)
    try:
        node.start()
        # Handles read the flags when ray.serve is imported, so they must stand before that.
        os.environ.update(node.environment())
        ray.init(address=node.address, log_to_driver=False, logging_level="ERROR")
        yield node
    finally:
        ray.shutdown()
        node.stop()
        os.environ.clear()
        os.environ.update(before)
