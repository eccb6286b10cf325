"""A server that answers like Quorum, or wrongly on purpose."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

Serve = Callable[[str], str]


class FakeQuorum(BaseHTTPRequestHandler):
    """Behaviours: `right`; `mixed-up` answers about another payment; `failing` sends 500;
    `closing` hangs up instead of answering; `endless` sends no Content-Length."""

    protocol_version = "HTTP/1.1"
    behaviour = "right"
    made: dict[str, dict[str, Any]]

    def do_POST(self) -> None:
        """Answer a decision or accept a label."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.behaviour == "closing":
            self.close_connection = True
        elif self.behaviour == "failing" or not self.headers["X-API-Key"]:
            self._answer(500, {"title": "Out of order"})
        elif self.path.endswith("/labels"):
            self._answer(201, self.made[self.path.split("/")[3]] | body)
        elif "transactions" in body:
            self._answer(200, {"results": [self._decided(row) for row in body["transactions"]]})
        else:
            self._answer(200, self._decided(body))

    def do_GET(self) -> None:
        """Return a stored decision, or answer the health check."""
        if self.path == "/v2/health/live":
            self._answer(200, {"live": True})
            return
        if self.path == "/metrics":
            self._answer_metrics()
            return
        self._answer(200, self.made[self.path.split("/")[3]])

    def _answer_metrics(self) -> None:
        """Two rows of a micro-batch, each of which waited a hundredth of a second for the disk."""
        n = len(self.made)
        body = (
            f"fraud_batch_rows_sum {n}\nfraud_batch_rows_count {n / 2}\n"
            f'fraud_stage_seconds_sum{{stage="log"}} {n / 200}\n'
            f'fraud_stage_seconds_count{{stage="log"}} {n / 2}\n'
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _decided(self, row: dict[str, Any]) -> dict[str, Any]:
        mixed_up = self.behaviour == "mixed-up" and row["transaction_id"].endswith("7")
        decision = {
            "decision_id": str(uuid4()),
            "transaction_id": "somebody-else" if mixed_up else row["transaction_id"],
            "decision": "approve",
            "probability": 0.25,
            "degraded": False,
        }
        self.made[decision["decision_id"]] = decision
        return decision

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if self.behaviour != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # In two parts, as a network would deliver it.
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(body[:10])
            self.wfile.write(body[10:])


class _Server(ThreadingHTTPServer):
    # Whoever opens hundreds of connections at once would be put off for seconds.
    request_queue_size = 512


@pytest.fixture
def serve() -> Iterator[Serve]:
    """behaviour -> base URL of a server that has it."""
    servers: list[ThreadingHTTPServer] = []

    def start(behaviour: str) -> str:
        handler = type("Handler", (FakeQuorum,), {"behaviour": behaviour, "made": {}})
        server = _Server(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
