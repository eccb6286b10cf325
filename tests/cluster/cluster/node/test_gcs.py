"""The client of Ray that Ray does not document, against a real head."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from cluster.node.gcs import Gcs
from cluster.node.labels import PORT_LABEL, VERSION_LABEL
from cluster.node.node import Node
from fraud.record import CODE_VERSION
from tests.contracts.root import ROOT

CUT_OFF = """
import contextlib, socket, sys, threading
from cluster.errors import CommandFailed
from cluster.node.gcs import Gcs

host, _, port = sys.argv[1].rpartition(":")
listener, ends = socket.create_server(("127.0.0.1", 0)), []

def copy(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass

def serve():
    while True:
        try:
            near = listener.accept()[0]
        except OSError:
            return
        far = socket.create_connection((host, int(port)))
        ends.extend((near, far))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

threading.Thread(target=serve, daemon=True).start()
gcs = Gcs(f"127.0.0.1:{listener.getsockname()[1]}")
print(len(gcs.nodes()), flush=True)
listener.shutdown(socket.SHUT_RDWR)
listener.close()
for end in ends:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
try:
    print(len(gcs.nodes()), "nodes after the cut")
except CommandFailed as error:
    print(error.what)
"""
"""Asks a head through a way that is then cut. In a process of its own: Ray's client may end it."""

ASK = "import sys; from cluster.node.gcs import Gcs; print(Gcs(sys.argv[1]).cluster_id())"


@pytest.fixture
def gcs(node: Node) -> Gcs:
    return Gcs(node.address)


def in_process(
    code: str, node: Node, **environment: str
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a program. Returns what it did, and the seconds it took."""
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, node.address],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, time.monotonic() - before


def test_a_cluster_has_the_identity_that_its_head_gave_it(gcs: Gcs, node: Node) -> None:
    assert gcs.cluster_id() is None
    gcs.set_cluster_id("c1")
    assert gcs.cluster_id() == "c1"
    gcs.set_cluster_id("c2")
    assert Gcs(node.address).cluster_id() == "c2"


def test_the_head_knows_its_nodes_with_their_labels(gcs: Gcs, node: Node) -> None:
    import ray

    [found] = gcs.nodes()
    assert found.node_id == ray.get_runtime_context().get_node_id()
    assert (found.host, found.is_head, found.state) == (node.host, True, "alive")
    assert found.labels[PORT_LABEL] == str(node.node_port)
    assert found.labels[VERSION_LABEL] == CODE_VERSION


def test_our_token_is_accepted_and_another_refused(node: Node) -> None:
    """In processes of their own: Ray reads a token once and for all."""
    assert os.environ["RAY_AUTH_MODE"] == "token"
    done, _ = in_process(ASK, node)
    assert done.returncode == 0, done.stderr
    done, _ = in_process(ASK, node, RAY_AUTH_TOKEN="00" * 32)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "TokenRefused" in last, done.stderr
    assert f"the head at {node.address} does not accept our token" in last


def test_a_head_that_is_cut_off_is_one_line_after_seconds(node: Node) -> None:
    done, seconds = in_process(CUT_OFF, node)
    said = done.stdout.splitlines()
    assert len(said) == 2, (done, seconds)
    assert said[0] == "1"
    assert "does not answer" in said[1], (done, seconds)
    assert seconds < 45


def test_a_node_that_is_gone_needs_no_draining(gcs: Gcs) -> None:
    """Ray takes the request. Nodes really drain in tests/machines."""
    gcs.drain("ff" * 28, int(time.time() * 1000) + 1000)
    assert [found.state for found in gcs.nodes()] == ["alive"]
