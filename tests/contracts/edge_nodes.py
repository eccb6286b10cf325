"""Two nodes behind the edge of deploy/compose.yaml: what the edge sees of real ones."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESSES = ("127.0.0.1", "127.0.0.2")


class EdgeNode:
    """One node: it echoes what reaches it.

    Attributes:
        ready: what its own port says.
        dies: whether it closes connections without an answer.
        seen: method and path of each request.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.ready, self.dies = True, False
        self.seen: list[tuple[str, str]] = []


def _answers(node: EdgeNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            node.seen.append((self.command, self.path))
            if node.dies:
                self.close_connection = True
                return
            status = int(self.path.rpartition("/")[2]) if "/status/" in self.path else 200
            body = {"node": node.address, "path": self.path, "headers": self.headers.items()}
            text = json.dumps(body).encode()
            self.send_response(status)
            if status in (429, 503):
                self.send_header("retry-after", "7")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - the base class names them

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _readiness(node: EdgeNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there = self.path == "/v2/health/ready"
            self.send_response(200 if there and node.ready else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave: HAProxy resets connections of its health checks."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def edge_nodes(port: int, ready_port: int) -> Iterator[list[EdgeNode]]:
    """Serve both until the block ends."""
    nodes = [EdgeNode(address) for address in ADDRESSES]
    with ExitStack() as stack:
        for node in nodes:
            for at, handler in ((port, _answers(node)), (ready_port, _readiness(node))):
                server = stack.enter_context(_Server((node.address, at), handler))
                threading.Thread(target=server.serve_forever, daemon=True).start()
                stack.callback(server.shutdown)
        yield nodes
