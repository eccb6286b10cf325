"""The nodes as `quorum status` shows them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.membership import nodes as module
from cluster.membership.nodes import nodes_of, nodes_or_error
from cluster.node.gcs import RayNode
from cluster.node.labels import PORT_LABEL, VERSION_LABEL
from tests.contracts.ports import free_ports

METRICS = """# HELP fraud_log_lag_rows rows
fraud_log_lag_rows{pid="1"} 3.0
fraud_log_lag_rows{pid="2"} 4.0
fraud_log_lag_rows_total 900.0
fraud_log_lag_seconds 0.5
"""
NODE: Any = SimpleNamespace(address="10.0.0.1:6379")


class Front(http.server.BaseHTTPRequestHandler):
    """A node's own port."""

    def do_GET(self) -> None:
        server: Any = self.server
        ready = self.path == "/v2/health/ready"
        self.send_response(server.ready if ready else 200)
        self.end_headers()
        self.wfile.write(b"{}" if ready else METRICS.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def front() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.ready = 200
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def there(node_id: str, port: int, *, state: str = "alive", head: bool = False, role: str = ""):
    labels = {PORT_LABEL: str(port), VERSION_LABEL: "15.0"} | (
        {"quorum-role": role} if role else {}
    )
    return RayNode(node_id, "127.0.0.1", head, state, labels)


def know(monkeypatch: pytest.MonkeyPatch, *nodes: RayNode) -> None:
    monkeypatch.setattr(module, "Gcs", lambda _: SimpleNamespace(nodes=lambda: list(nodes)))


def replica(node_id: str, state: str = "RUNNING") -> dict[str, str]:
    return {"node_id": node_id, "state": state}


DETAILS = {
    "applications": {
        "quorum": {
            "deployments": {
                "Ingress": {"replicas": [replica("a"), replica("b"), replica("a", "STARTING")]}
            }
        },
        "xgboost": {"deployments": {"Variant": {"replicas": [replica("a"), replica("a")]}}},
    }
}


def test_a_node_is_told_with_what_it_says_of_itself(
    front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, there("a", front.server_port, head=True))
    assert nodes_of(NODE, DETAILS) == [
        {
            "host": "127.0.0.1",
            "role": "head",
            "state": "alive",
            "version": "15.0",
            "replicas": {"Ingress": 1, "xgboost": 2},
            "ready": True,
            "log_lag_rows": 7.0,
            "log_lag_seconds": 0.5,
        }
    ]


def test_a_node_that_is_not_ready_still_tells_its_lag(
    front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.ready = 503
    know(monkeypatch, there("b", front.server_port))
    [found] = nodes_of(NODE, DETAILS)
    assert (found["ready"], found["log_lag_rows"]) == (False, 7.0)
    assert found["role"] == "worker"
    assert found["replicas"] == {"Ingress": 1}


def test_a_node_that_does_not_answer_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, there("c", free_ports(1)[0], role="training"))
    [found] = nodes_of(NODE, DETAILS)
    assert (found["role"], found["ready"], found["replicas"]) == ("training", False, {})
    assert found["log_lag_rows"] is None
    assert found["log_lag_seconds"] is None


def test_dead_nodes_are_left_out(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, there("a", front.server_port), there("b", front.server_port, state="dead"))
    assert len(nodes_of(NODE, DETAILS)) == 1


def test_without_a_head_the_error_is_a_part_of_the_status() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    node: Any = SimpleNamespace(address=address)
    with pytest.raises(CommandFailed):
        nodes_of(node, DETAILS)
    told = nodes_or_error(node, DETAILS)
    assert told["nodes"] == []
    assert told["nodes_error"].startswith(f"no head node at {address}")
