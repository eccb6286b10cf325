"""A node of our own beside others: it deploys, recovers from kill -9, leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.errors import CommandFailed
from cluster.node.deploy import wait_ready, wait_running
from cluster.node.node import MARK, Node
from cluster.node.ports import require_free
from loadtests.processes import name_of
from tests.contracts.nodes import stop_whole
from tests.contracts.ports import free_ports, serve_ports
from tests.contracts.run_folder import run_folder

_APPLICATION = """
import os
import sys
from fastapi import FastAPI
from ray import serve

def build(args):
    app = FastAPI()

    @app.get("/v2/health/ready")
    def ready() -> dict[str, str | None]:
        names = ("QUORUM_HOME", "PROMETHEUS_MULTIPROC_DIR", "RAY_SERVE_THROUGHPUT_OPTIMIZED")
        found = {name: os.environ.get(name) for name in names}
        return {**found, "pandas": "there" if "pandas" in sys.modules else "not there"}

    # What is broken is broken: starting it again and again would only take longer.
    @serve.deployment(ray_actor_options={"num_cpus": 0.1}, max_constructor_retry_count=1)
    @serve.ingress(app)
    class Front:
        def __init__(self) -> None:
            if args.get("broken"):
                raise RuntimeError("the model is broken")

    return Front.bind()
"""


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node that is not started, with ports and a folder of its own."""
    with run_folder("node") as home:
        yield from _node_in(home, monkeypatch)


def _node_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    (home / "noop_for_node_test.py").write_text(_APPLICATION)
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.delenv(MARK, raising=False)
    for name, value in serve_ports().items():
        monkeypatch.setenv(name, value)
    # A deployment takes the place of another at once, not after half a minute for load balancers.
    monkeypatch.setenv("RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S", "2")
    node = Node(home, *free_ports(5))
    try:
        yield node
    finally:
        stop_whole(node)


def _config(node: Node, **arguments: object) -> dict[str, Any]:
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "127.0.0.1", "port": node.http_port},
        "applications": [
            {"name": "noop", "import_path": "noop_for_node_test:build", "args": arguments}
        ],
    }


def test_a_node_serves_recovers_and_stops(own: Node) -> None:
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", "raylet gcs_server haproxy ray::"]
    )
    url = f"http://127.0.0.1:{own.http_port}"
    try:
        assert own.start()
        assert not own.start()
        own.dashboard.deploy(_config(own))
        wait_running(own.dashboard, {"noop"}, timeout_s=120)
        wait_ready(url, timeout_s=120)
        with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=10) as answer:
            said = answer.read().decode()
        assert str(own.home / "run" / "metrics") in said
        assert '"RAY_SERVE_THROUGHPUT_OPTIMIZED":"1"' in said.replace(" ", "")
        assert "not there" in said
        # Some of them come and go.
        assert "haproxy" in {name_of(process) for process in own.processes()}

        own.dashboard.deploy(_config(own, broken=True))
        with pytest.raises(CommandFailed, match="RuntimeError: the model is broken"):
            wait_running(own.dashboard, {"noop"}, timeout_s=120)

        for process in own.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name() in ("raylet", "gcs_server"):
                    os.kill(process.pid, signal.SIGKILL)
        assert not own.running
        assert own.start()
        assert own.dashboard.serve_details()["applications"] == {}

        assert own.stop() > 0
        assert own.processes() == []
        require_free(own.ports)
        assert not own.folder.exists()
        # What both sessions logged, the killed one too, is there to be read.
        kept = list((own.home / "logs" / "ray").glob("session_*"))
        assert len(kept) == 2
        assert all((session / "gcs_server.out").exists() for session in kept)
        assert own.stop() == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
