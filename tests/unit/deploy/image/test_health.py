"""The health check of the image, against a server of the test's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.image import health
from deploy.image.health import PATHS, front, healthy
from deploy.image.lock import FOLDER


class _Alive(BaseHTTPRequestHandler):
    """Alive, and not ready."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == PATHS["live"] else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_only_200_is_healthy(port: int) -> None:
    assert healthy(("127.0.0.1", port), PATHS["live"])
    assert not healthy(("127.0.0.1", port), PATHS["ready"])


def test_nobody_there_is_not_healthy(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TIMEOUT_S", 0.2)
    assert not healthy(("127.0.0.1", 1), PATHS["live"])


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("127.0.0.1", 8001)),
        ({"QUORUM_HTTP_HOST": "0.0.0.0", "QUORUM_NODE_PORT": "9"}, ("127.0.0.1", 9)),
        ({"QUORUM_HTTP_HOST": "10.0.0.7"}, ("10.0.0.7", 8001)),
    ],
)
def test_it_asks_where_quorum_listens(
    environment: dict[str, str], expected: tuple[str, int]
) -> None:
    assert front(environment) == expected


@pytest.mark.parametrize(("asked", "code"), [([], 0), (["live"], 0), (["ready"], 1), (["x"], 1)])
def test_the_exit_code_tells(port: int, asked: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-E", FOLDER / "health.py", *asked],
        env={**os.environ, "QUORUM_NODE_PORT": str(port), "QUORUM_HTTP_HOST": "0.0.0.0"},
        capture_output=True,
        timeout=20,
    )
    assert done.returncode == code
