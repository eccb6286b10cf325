"""The edge with Serve's own code around HAProxy and the real HAProxy, without a Ray node."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import pytest_asyncio

from cluster.edge import haproxy as real
from cluster.edge.files import EdgeFiles
from cluster.edge.install import PROGRAM, install
from tests.contracts.edge import edge_options
from tests.contracts.ports import free_ports
from tests.contracts.run_folder import end_those_of, run_folder


class Replica(http.server.ThreadingHTTPServer):
    """Answers as a replica does, with `name`."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def die(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        replica: Any = self.server
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.command == "POST":
            replica.asked.append(self.path)
        said = replica.name.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


_MORTAL = """
import http.server, os, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"mortal")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        os._exit(1)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
# Nothing comes: the pipe ends with the process that holds its other end.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(2)), daemon=True).start()
server.serve_forever()
"""


class Mortal:
    """A replica in a process of its own, which dies under the first POST."""

    name = "mortal"

    def __init__(self) -> None:
        command = [sys.executable, "-c", _MORTAL]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Mortal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def died(self) -> bool:
        """Whether it has received a POST."""
        return self._process.wait(60) == 1


class Served:
    """Serve's manager of HAProxy without its actor."""

    def __init__(self, folder: Path, port: int, ports: tuple[int, int]) -> None:
        from ray.serve._private import haproxy
        from ray.serve.config import HTTPOptions

        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self._haproxy = haproxy
        config = haproxy.HAProxyConfig(
            http_options=HTTPOptions(host="127.0.0.1", port=port),
            socket_path=str(folder / "admin.sock"),
            server_state_base=str(folder),
            server_state_file=str(folder / "server-state"),
            stats_port=ports[0],
            metrics_port=ports[1],
            metrics_enabled=False,
            nbthread=1,
            is_head=True,
            observe_error_limit=1,
        )
        self.api = haproxy.HAProxyApi(config, config_file_path=str(folder / "haproxy.cfg"))

    async def route(self, *replicas: Replica | Mortal) -> None:
        """Send everything to some replicas from now on, as Serve does after a broadcast."""
        servers = [self._haproxy.ServerConfig(r.name, "127.0.0.1", r.port) for r in replicas]
        fallback = self._haproxy.ServerConfig("fallback", "127.0.0.1", 1)
        backend = self._haproxy.BackendConfig(
            name="http-decisions",
            path_prefix="/",
            app_name="decisions",
            servers=servers,
            fallback_server=fallback,
        )
        self.api.set_backend_configs({"http-decisions": backend})
        await self.api.reload()

    @property
    def pid(self) -> int:
        """Process id of the real HAProxy."""
        pid = real.running_pid(EdgeFiles(self.folder).commands)
        assert pid is not None
        return pid

    def processes(self) -> list[psutil.Process]:
        """All processes of the edge."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(str(self.folder) in part for part in process.cmdline()):
                    found.append(process)
        return found

    def keepers(self) -> list[psutil.Process]:
        """The processes that run HAProxy: one, except during a replacement."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "keep" in process.cmdline():
                    found.append(process)
        return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    from ray.serve._private import haproxy

    with run_folder("edge") as folder:
        install(folder / "tools", edge_options(spare=True))
        program = str(folder / "tools" / PROGRAM)
        monkeypatch.setattr(haproxy, "RAY_SERVE_HAPROXY_BINARY_PATH", program)
        (folder / "node").mkdir()
        front, *ports = free_ports(3)
        yield Served(folder / "node", front, (ports[0], ports[1]))
        end_those_of(folder)


@pytest_asyncio.fixture
async def started(served: Served) -> AsyncIterator[Served]:
    await served.api.start()
    yield served
    await served.api.stop()


def get(url: str, path: str = "/v1/decisions", **more: Any) -> httpx.Response:
    return httpx.get(url + path, timeout=60, trust_env=False, **more)


def post(url: str, path: str, content: bytes = b"{}") -> httpx.Response:
    return httpx.post(url + path, content=content, timeout=60, trust_env=False)


async def test_serve_accepts_it_as_haproxy(started: Served) -> None:
    first, second = Replica("first"), Replica("second")
    await started.route(first)
    assert get(started.url).text == "first"
    await started.route(second)
    assert get(started.url).text == "second"
    assert await started.api.is_running()
    stats = await started.api.get_all_stats()
    assert set(stats["http-decisions"]) == {"second"}
    await started.api.disable()
    assert get(started.url, "/-/healthz").status_code == 503
    await started.api.enable()
    assert get(started.url, "/-/healthz").status_code == 200
    first.die()
    second.die()


async def test_a_killed_haproxy_is_back_at_once(started: Served) -> None:
    replica = Replica("a")
    await started.route(replica)
    for _ in range(3):
        os.kill(started.pid, signal.SIGKILL)
        died = time.monotonic()
        while True:
            try:
                answer = get(started.url)
                break
            except httpx.TransportError:
                assert time.monotonic() < died + 60
        assert (answer.status_code, answer.text) == (200, "a")
    # Serve notices nothing, and goes on changing routes.
    assert await started.api.is_running()
    other = Replica("b")
    await started.route(other)
    assert get(started.url).text == "b"


async def test_requests_are_answered_whichever_part_is_killed(started: Served) -> None:
    replica = Replica("a")
    await started.route(replica)
    pid = started.pid
    helpers = [process for process in started.processes() if process.pid != pid]
    assert len(helpers) >= 2
    for process in helpers:
        with contextlib.suppress(psutil.NoSuchProcess):  # some are on their way out
            process.kill()
        assert get(started.url).text == "a"


async def test_a_killed_keeper_comes_back(started: Served) -> None:
    replica = Replica("a")
    await started.route(replica)
    (keeper,) = started.keepers()
    keeper.kill()
    await until(lambda: started.keepers() not in ([], [keeper]))
    await until(lambda: real.running_pid(EdgeFiles(started.folder).commands) is not None)
    os.kill(started.pid, signal.SIGKILL)
    await until(lambda: answers(started.url))


async def test_a_restarted_serve_keeps_the_routes(served: Served) -> None:
    await served.api.start()
    replica = Replica("a")
    await served.route(replica)
    assert served.api._proc is not None
    served.api._proc.kill()  # as if its manager had died
    again = Served(served.folder, served.port, (1, 2))
    again.api.cfg.stats_port = served.api.cfg.stats_port
    again.api.cfg.metrics_port = served.api.cfg.metrics_port
    await again.api.start()
    # It knows no routes yet; what was up is up.
    assert get(served.url).text == "a"
    other = Replica("b")
    await again.route(other)
    assert get(served.url).text == "b"
    # No application is left: that is no reason for a 404 either.
    again.api.set_backend_configs({})
    await again.api.reload()
    assert_problem(get(served.url), 503, "unavailable")
    await again.api.stop()


async def test_without_routes_it_answers_503_and_never_404(started: Served) -> None:
    answer = get(started.url, headers={"x-request-id": "mine-1"})
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-request-id"] == "mine-1"
    await started.route()
    assert_problem(get(started.url), 503, "unavailable")
    replica = Replica("a")
    await started.route(replica)
    replica.die()
    assert_problem(get(started.url), 503, "unavailable")


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/batch", "/v1/decisions/7/labels"])
async def test_a_request_whose_replica_died_goes_to_another_one(started: Served, path: str) -> None:
    spare = Replica("spare")
    with Mortal() as first:
        await started.route(first, spare)
        assert {get(started.url).text for _ in range(10)} == {"mortal"}
        answer = post(started.url, path)
        assert (answer.status_code, answer.text) == (200, "spare")
        assert first.died
    assert spare.asked == [path]


async def test_requests_that_are_not_safe_to_repeat_are_not_repeated(started: Served) -> None:
    spare = Replica("spare")
    with Mortal() as first:
        await started.route(first, spare)
        with contextlib.suppress(httpx.RemoteProtocolError):  # HAProxy may hang up
            assert_problem(post(started.url, "/other"), 503, "unavailable")
        assert first.died
    assert spare.asked == []
    assert get(started.url).text == "spare"


async def test_a_body_of_any_size_and_kind_gets_through(started: Served) -> None:
    replica = Replica("a")
    await started.route(replica)
    for size in (0, 60_000, 70_000, 2_000_000):
        assert post(started.url, "/v1/decisions/batch", b"x" * size).text == "a"
    head = b"POST /v1/decisions HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n"
    with socket.create_connection(("127.0.0.1", started.port), timeout=60) as client:
        client.sendall(head + b"expect: 100-continue\r\nconnection: close\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(b"he")
        await asyncio.sleep(0.05)
        client.sendall(b"llo")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [16_000, 20_000, 40_000])
@pytest.mark.parametrize("where", ["path", "header"])
async def test_a_large_head_reaches_the_replica(started: Served, size: int, where: str) -> None:
    replica = Replica("a")
    await started.route(replica)
    long = "a" * size
    path, headers = ("/" + long, {}) if where == "path" else ("/", {"x-long": long})
    assert get(started.url, path, headers=headers).status_code == 200


async def test_many_headers_reach_the_replica(started: Served) -> None:
    replica = Replica("a")
    await started.route(replica)
    assert get(started.url, headers=[(f"x-{i}", "1") for i in range(90)]).status_code == 200
    # The stand-in for a replica takes 100.
    assert get(started.url, headers=[(f"x-{i}", "1") for i in range(300)]).status_code == 431


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"no request at all\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: %b\r\n\r\n" % (b"a" * 200_000),
    ],
)
async def test_bytes_that_are_not_http_are_refused_and_reach_no_replica(
    started: Served, request_bytes: bytes
) -> None:
    replica = Replica("a")
    await started.route(replica)
    assert raw(started.port, request_bytes).status_code == 400
    assert replica.asked == []


async def test_only_this_user_can_open_its_sockets(started: Served) -> None:
    await started.route(Replica("a"))
    for name in ("admin.sock", "edge.sock", "keep.sock", "stats.sock"):
        assert (started.folder / name).stat().st_mode & 0o077 == 0, name
    listening = [
        connection.laddr.ip
        for process in started.processes()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


async def test_without_serve_it_ends(served: Served) -> None:
    await served.api.start()
    (keeper,) = served.keepers()
    pid = served.pid
    keeper.terminate()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
    await served.api.stop()


def raw(port: int, request: bytes) -> httpx.Response:
    """Return the answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        with contextlib.suppress(OSError):
            client.sendall(request)
        said = b""
        with contextlib.suppress(OSError):
            while part := client.recv(65536):
                said += part
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return httpx.Response(int(first.split()[1]), headers=pairs, content=body)


def assert_problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:quorum:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    if status == 503:
        assert int(answer.headers["retry-after"]) >= 1


def answers(url: str) -> bool:
    try:
        return get(url).status_code == 200
    except httpx.TransportError:
        return False


async def until(condition: Any, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
