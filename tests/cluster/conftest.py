"""A Ray node for each module, in HAProxy mode, with the flags of production, on free ports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.node.node import Node
from tests.contracts.nodes import stop_whole
from tests.contracts.ports import free_ports, serve_ports
from tests.contracts.run_folder import run_folder

_FOR_TESTS = {
    # Reports every second, so that autoscaling shows within a test's patience.
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    # How long replicas live on at the least once removed, for load balancers that learn of it late.
    # Here they learn at once, and the usual 30 s would be most of what a roll-out takes.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
    # History that comes late on a busy machine is not what these tests are about.
    "QUORUM_REBUILD_WAIT_MS": "300",
}


@pytest.fixture(scope="module")
def quorum_home() -> Iterator[Path]:
    """An empty `$QUORUM_HOME` with a short path."""
    with run_folder("home") as home:
        yield home


@pytest.fixture(scope="module")
def node(quorum_home: Path) -> Iterator[Node]:
    """A running Ray node; this process is connected to it. Everything it started is ended."""
    import ray

    node = Node(quorum_home, *free_ports(5))
    before = dict(os.environ)
    os.environ.update(_FOR_TESTS | serve_ports())
    try:
        node.start()
        # Handles read the flags when ray.serve is imported, so they must stand before that.
        os.environ.update(node.environment())
        ray.init(address=node.address, log_to_driver=False, logging_level="ERROR")
        yield node
    finally:
        try:
            if "ray.serve.context" in sys.modules:
                # A test that used Serve here left a client of this node behind.
                sys.modules["ray.serve.context"]._set_global_client(None)
            ray.shutdown()
        finally:
            stop_whole(node)
        os.environ.clear()
        os.environ.update(before)
