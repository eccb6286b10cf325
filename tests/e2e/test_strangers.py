"""Another user of the machine tries every port, socket and file of a running node."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.node.node import Node
from loadtests.processes import processes
from tests.contracts.stranger import Stranger, needs_root
from tests.e2e.conftest import Quorum

pytestmark = needs_root

_JOB = b'{"entrypoint": "id"}'
_PROBES = {
    "jobs": b"POST /api/jobs/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_JOB), _JOB),
    "applications": b"GET /api/serve/applications/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "metrics": b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    "root": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "redis": b"KEYS *\r\n",
    "nonsense": b"\x80\x05cposix\nsystem\n(S'id'\ntR.\r\n\r\n",
}


def _node(quorum: Quorum) -> Node:
    environment = quorum.environment
    ports = ("HTTP", "DASHBOARD", "RAY", "FALLBACK", "NODE")
    return Node(quorum.home.resolve(), *(int(environment[f"QUORUM_{p}_PORT"]) for p in ports))


def _listening(quorum: Quorum) -> Iterator[tuple[str, str, int]]:
    """(process, address, port) of everything that listens over TCP."""
    node = _node(quorum)
    found = {p.pid: p for p in [*node.processes(), *processes(quorum.home)]}
    for process in found.values():
        try:
            name, open_ones = process.name(), process.net_connections("tcp")
        except psutil.Error:
            continue
        for one in open_ones:
            if one.status == psutil.CONN_LISTEN:
                yield name, one.laddr.ip.removeprefix("::ffff:"), one.laddr.port


def test_nothing_listens_beyond_loopback(quorum: Quorum) -> None:
    listening = set(_listening(quorum))
    assert len(listening) > 5
    assert [one for one in listening if one[1] not in ("127.0.0.1", "::1")] == []


def test_no_port_serves_another_user(quorum: Quorum) -> None:
    fronts = {int(quorum.environment[f"QUORUM_{name}_PORT"]) for name in ("HTTP", "NODE")}
    ports = sorted({(port, name) for name, _, port in _listening(quorum)})
    asked = [(("127.0.0.1", port), list(_PROBES.values())) for port, _ in ports]
    taken = []
    for (port, name), answers in zip(ports, Stranger().answers(asked), strict=True):
        for probe, answer in zip(_PROBES, answers, strict=True):
            first = answer.split(b"\r\n")[0]
            if first.startswith(b"HTTP/1.") and first.split()[1] == b"200":
                dashboard = port == _node(quorum).dashboard_port
                # Open on purpose: the page that asks for the token, and our own metrics.
                if (dashboard and probe == "root") or (port in fronts and probe == "metrics"):
                    continue
                taken.append((name, port, probe))
            elif probe == "redis" and answer.startswith(b"*"):
                taken.append((name, port, probe))
    # Replicas answer as the HTTP port in front of them does.
    replicas = {port for port, name in ports if name.startswith("ray::")}
    assert [one for one in taken if one[1] not in replicas or one[2] != "metrics"] == []


def test_no_file_folder_or_socket_is_open_to_another_user(quorum: Quorum) -> None:
    node = _node(quorum)
    paths: list[Path] = []
    for root in (quorum.home, node.folder):
        paths.append(root)
        for folder, names, files in os.walk(root):
            paths += [Path(folder) / name for name in (*names, *files)]
    paths += [Path("/dev/shm") / name for name in os.listdir("/dev/shm") if "ostgre" not in name]
    assert len(paths) > 100
    assert Stranger().can_open(paths) == {}


def test_only_its_user_can_read_its_files(quorum: Quorum) -> None:
    open_ones = []
    for folder, _, files in os.walk(quorum.home):
        for name in files:
            path = Path(folder) / name
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                open_ones.append(str(path.relative_to(quorum.home)))
    assert open_ones == []


def test_the_owner_can_use_serve_and_ray(quorum: Quorum) -> None:
    environment = {k: v for k, v in quorum.environment.items() if not k.startswith("RAY_AUTH")}
    environment["RAY_ADDRESS"] = _node(quorum).address
    dashboard = f"http://127.0.0.1:{quorum.environment['QUORUM_DASHBOARD_PORT']}"
    for command in (["serve", "status", "--address", dashboard], ["ray", "status"]):
        program = str(Path(sys.executable).with_name(command[0]))
        done = subprocess.run(
            [program, *command[1:]], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr


def test_nothing_answers_at_the_address_of_the_machine(quorum: Quorum) -> None:
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    for _, _, port in _listening(quorum):
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((own, port)) != 0, port
